/* What the service calls: the issuer of operators' tokens, the mail server, the store of proof files, the model. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <talloc.h>

#include "base/config.h"
#include "base/crypto.h"
#include "base/now.h"
#include "base/text.h"
#include "core/guardian.h"
#include "core/llm.h"
#include "doctor/doctor.h"
#include "net/jwks.h"
#include "net/mail.h"
#include "net/storage.h"

enum { TRIAL_SIZE = 4096 };

void
doctor_issuer(struct doctor *doctor)
{
	const struct config *config = doctor->config;
	const struct jwk *key;

	if (config->operator_jwks_url == NULL) {
		doctor_skip(doctor, "No issuer is set.");
		return;
	}
	if (jwks_find(
		jwks_open(config, config->operator_jwks_url, config->is_development), "", now_ms(), &key, &doctor->err))
		doctor_fail(doctor, "See that it answers with a key set (RFC 7517) that has keys for RS256 or ES256.",
		    "%s: %s", config->operator_jwks_url, doctor_reason(doctor));
	else
		doctor_ok(doctor, "%s has keys.", config->operator_jwks_url);
}

void
doctor_mail(struct doctor *doctor)
{
	const struct config *config = doctor->config;

	if (config->smtp_url == NULL)
		doctor_skip(doctor, "No mail server is set: mails are files in %s.", config->mail_dir);
	else if (mail_reach(config->smtp_url, &doctor->err))
		doctor_fail(doctor, "Correct SMTP_URL (smtps://USER:PASSWORD@HOST, or smtp:// with STARTTLS).", "%s",
		    doctor_reason(doctor));
	else
		doctor_ok(doctor, "The mail server takes us.  Whether it takes mail from %s shows only a mail.",
		    config->mail_from);
}

/* Writes a file, reads it back and deletes it; NULL, or what did not work. */
static const char *
try_storage(struct doctor *doctor, struct storage *storage)
{
	uint8_t bytes[TRIAL_SIZE], read_back[TRIAL_SIZE + 1] = { 0 };
	int fd = memfd_create("trial", MFD_CLOEXEC), got;
	char name[STORAGE_NAME_SIZE];
	int64_t size = 0;
	ssize_t len = 0;

	crypto_random(bytes, sizeof(bytes));
	storage_name(name);
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes) ||
	    storage_put(storage, name, fd, "application/octet-stream", &doctor->err)) {
		if (fd >= 0)
			close(fd);
		return "written";
	}
	close(fd);
	if ((got = storage_get(storage, name, &size, &doctor->err)) >= 0) {
		len = read(got, read_back, sizeof(read_back));
		close(got);
	}
	if (got < 0 || len != sizeof(bytes) || memcmp(bytes, read_back, sizeof(bytes)) != 0) {
		storage_delete(storage, name, &doctor->err);
		return "read back";
	}
	return storage_delete(storage, name, &doctor->err) ? "deleted" : NULL;
}

/*
 * Root leaves nothing of its own in a folder of others: from here on it acts as the folder's owner, until become_root.  False
 * if there is no folder.
 */
static bool
become_owner(const char *folder)
{
	struct stat st;

	if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
		return false;
	return geteuid() != 0 || (setegid(st.st_gid) == 0 && seteuid(st.st_uid) == 0);
}

static void
become_root(void)
{
	if (getuid() == 0 && (seteuid(0) != 0 || setegid(0) != 0))
		_exit(2); /* root may always */
}

void
doctor_storage(struct doctor *doctor)
{
	const struct config *config = doctor->config;
	bool is_bucket = config->r2_endpoint != NULL;
	const char *failed;
	mode_t mask;

	if (is_bucket && doctor->is_offline) {
		doctor_skip(doctor, "Not looked at: --offline.");
		return;
	}
	if (!is_bucket && !become_owner(config->upload_dir)) {
		doctor_skip(doctor, "%s cannot be looked at: %s; the first proof makes a folder that is not there.",
		    config->upload_dir, strerror(errno));
		become_root();
		return;
	}
	/* A folder that the trial makes is a real file's as well tomorrow: its modes are storage.c's, not the caller's. */
	mask = umask(0007);
	failed = try_storage(doctor, storage_open(config, config));
	umask(mask);
	become_root();
	if (failed != NULL)
		doctor_fail(doctor,
		    is_bucket ? "See R2_ENDPOINT, R2_BUCKET and the rights of the key."
			      : "See whom the folder belongs to, and the disk.",
		    "A file cannot be %s: %s", failed, doctor_reason(doctor));
	else
		doctor_ok(doctor, "A file was written, read and deleted in %s.",
		    is_bucket ? config->r2_bucket : config->upload_dir);
}

void
doctor_guardian(struct doctor *doctor)
{
	const struct config *config = doctor->config;
	const struct guardian_task task = { .title = "Photo of the town hall",
		.description = "Take a photo of the front of the town hall in daylight.",
		.task_type = "VERIFICATION",
		.proof_type = "PHOTO",
		.deadline_ms = now_ms() + 86400000 };
	struct guardian_screening screening = { 0 };
	enum llm_answer answer;

	if (strcmp(config->guardian_provider, "rules") == 0) {
		doctor_ok(doctor, "The embedded rules decide; nobody is asked.");
		return;
	}
	answer = llm_screen(config, config, &task, &screening);
	if (answer == LLM_AWAY)
		doctor_fail(doctor, "See GUARDIAN_URL, GUARDIAN_MODEL, GUARDIAN_API_KEY and the provider's own status.",
		    "%s does not answer: %s", config->guardian_model, doctor_reason(doctor));
	else if (answer == LLM_MALFORMED)
		doctor_fail(doctor, "Take a model that follows instructions and can answer in JSON.",
		    "%s answers in no form that counts: %s", config->guardian_model, doctor_reason(doctor));
	else if (!screening.is_allowed)
		doctor_warn(doctor, "Take another model: this one would refuse what is ordinary.",
		    "%s would not allow a photo of a town hall.", config->guardian_model);
	else
		doctor_ok(doctor, "%s answers in the agreed form.", config->guardian_model);
}

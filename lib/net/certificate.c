/* When a server's certificate ends, by libcurl: a first look that trusts as every client does, and one that trusts anything. */
#include "net/certificate.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static void
must(CURLcode rc)
{
	assert(rc == CURLE_OK);
}

/* Seconds since 1970 of what libcurl writes with GnuTLS ("2026-12-23 18:45:07 GMT"); 0 if it is none. */
static int64_t
read_date(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);

	return end == NULL ? 0 : (int64_t)timegm(&tm);
}

/* The end of the first certificate, which is the server's own; 0: it was not told. */
static int64_t
find_end(CURL *curl)
{
	static const char name[] = "Expire date:";
	struct curl_certinfo *info = NULL;

	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL || info->num_of_certs < 1)
		return 0;
	for (const struct curl_slist *line = info->certinfo[0]; line != NULL; line = line->next) {
		if (strncasecmp(line->data, name, strlen(name)) == 0)
			return read_date(line->data + strlen(name));
	}
	return 0;
}

static CURLcode
look(const char *url, int timeout_ms, bool believes, int64_t *expires_s)
{
	CURL *curl = curl_easy_init();
	CURLcode rc;

	assert(curl != NULL);
	must(curl_easy_setopt(curl, CURLOPT_URL, url));
	must(curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https"));
	must(curl_easy_setopt(curl, CURLOPT_PROXY, ""));
	must(curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED));
	must(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L));
	must(curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L));
	must(curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L)); /* the handshake is all that is wanted */
	must(curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms));
	must(curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L));
	must(curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, believes ? 0L : 1L));
	must(curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, believes ? 0L : 2L));
	must(curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
	rc = curl_easy_perform(curl);
	if (rc == CURLE_OK)
		*expires_s = find_end(curl);
	curl_easy_cleanup(curl);
	return rc;
}

int
certificate_ask(const char *url, int timeout_ms, struct certificate *out)
{
	CURLcode rc;

	*out = (struct certificate){ 0 };
	rc = look(url, timeout_ms, false, &out->expires_s);
	out->is_trusted = rc == CURLE_OK;
	if (rc == CURLE_PEER_FAILED_VERIFICATION)
		rc = look(url, timeout_ms, true, &out->expires_s);
	if (rc == CURLE_OK && out->expires_s > 0)
		return 0;
	snprintf(out->problem, sizeof(out->problem), "%s",
	    rc == CURLE_OK ? "it shows no certificate" : curl_easy_strerror(rc));
	return -1;
}

# HumanOps: programs, checks, installation.  `make help` lists the targets.
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
BUILD   ?= build$(if $(SANITIZE),/sanitize)
VERSION := $(shell cat VERSION)
SCHEMA  := $(shell ls sql/migrations | sed -n 's/^0*\([0-9]*\)_.*/\1/p' | sort -n | tail -1)

PACKAGES = json-c libpq talloc gnutls nettle hogweed libcurl libjwt-gnutls libsecp256k1
CFLAGS  ?= -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
           -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Werror
WARNINGS += -Wno-missing-field-initializers	# tables leave the end of a row zero
HARDEN   = -fstack-protector-strong -fstack-clash-protection -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
# A program holds no code that it cannot reach, and so cannot even name what is another one's to do (sql/grants.sql).
HARDEN  += -ffunction-sections -fdata-sections
# Two builds of the same sources have the same bytes, wherever they are made: tests/release/50-reproducible.
SAME_BYTES = '-ffile-prefix-map=$(CURDIR)=.'
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE -Ilib $(shell pkg-config --cflags $(PACKAGES) $(PICTURE_PACKAGES)) $(WARNINGS) $(HARDEN) \
              -DHUMANOPS_VERSION='"$(VERSION)"' -DHUMANOPS_SCHEMA=$(SCHEMA) $(CFLAGS) $(if $(SANITIZE),$(SANITIZERS)) $(SAME_BYTES) -MMD -MP
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(if $(SANITIZE),,-Wl,--gc-sections) $(LDFLAGS) $(if $(SANITIZE),$(SANITIZERS))
LDLIBS   = -lfcgi $(shell pkg-config --libs $(PACKAGES)) -lgmp -lunistring -lm

# What decodes pictures: only imager has it, and the tests that make some.
PICTURE_PACKAGES = libjpeg libpng libwebp libheif libexif
PICTURE_LIBS = -Wl,--as-needed $(shell pkg-config --libs $(PICTURE_PACKAGES))

LIB_SRC  = $(sort $(wildcard lib/*/*.c))
LIB      = $(BUILD)/libhumanops.a
SERVERS  = agents tasks operator webhooks admin mcp
PROGRAMS = $(SERVERS:%=$(BUILD)/fcgi/%.fcgi) $(BUILD)/fcgi/sweeper $(BUILD)/fcgi/worker $(BUILD)/fcgi/imager $(BUILD)/fcgi/doctor
UNITS    = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

.PHONY: all check unit lint format install install-system bench dist release-check clean help
.SECONDARY:

all: $(PROGRAMS)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# It knows the newest migration's number.
$(BUILD)/lib/base/db.o: sql/migrations

$(LIB): $(LIB_SRC:%.c=$(BUILD)/%.o)
	@rm -f $@
	$(AR) rcsD $@ $^

$(BUILD)/fcgi/%.fcgi: $(BUILD)/fcgi/%.o $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/fcgi/sweeper $(BUILD)/fcgi/worker $(BUILD)/fcgi/doctor: $(BUILD)/fcgi/%: $(BUILD)/fcgi/%.o $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/fcgi/imager: $(BUILD)/fcgi/imager.o $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PICTURE_LIBS) $(LDLIBS)

$(BUILD)/bench/%: $(BUILD)/bench/%.o $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS) $(PICTURE_LIBS)

# Compared with other libraries by tests/chain.
$(BUILD)/tests/vectors: $(BUILD)/tests/chain/vectors.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

units: $(UNITS) $(BUILD)/fcgi/imager
unit: units		## unit tests alone, without a database or a web server
	scripts/test unit

check: all		## everything that proves the project
	scripts/test

lint:			## clang-format, clang-tidy, cppcheck, shellcheck
	scripts/lint

format:			## rewrites the C sources as .clang-format says
	clang-format -i $(wildcard lib/*/*.[ch] fcgi/*.c bench/*.c tests/unit/*.[ch] tests/chain/*.c)

bench: all		## requests a second beside their ceilings, measured in the same run
	scripts/bench

# Programs and what they need at run time; scripts/start installs itself this way into its state folder.
install: all		## PREFIX=/usr/local DESTDIR=
	install -d $(DESTDIR)$(PREFIX)/lib/humanops $(DESTDIR)$(PREFIX)/share/humanops
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/lib/humanops
	install -m 755 scripts/migrate scripts/upgrade scripts/backup scripts/restore $(DESTDIR)$(PREFIX)/lib/humanops
	cp -R sql nginx web scripts/shared $(DESTDIR)$(PREFIX)/share/humanops
	sed -i "s/@BUILD@/$$(cd web && find app shared vendor/leaflet -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-16)/" \
	    $(DESTDIR)$(PREFIX)/share/humanops/web/app/sw.mjs	# other files, another worker

# What a machine of one's own needs beside them: units, cron, users, folders, settings, manual pages.
SYSCONFDIR ?= /etc
PLACE = $(DESTDIR)$(PREFIX)
install-system: install	## PREFIX=/usr/local DESTDIR= SYSCONFDIR=/etc: units, cron, users, settings, manual pages too
	install -d -m 711 $(DESTDIR)$(SYSCONFDIR)/humanops/secrets
	install -d $(PLACE)/lib/systemd/system $(PLACE)/lib/sysusers.d $(PLACE)/lib/tmpfiles.d $(PLACE)/share/man/man5 \
	    $(PLACE)/share/man/man7 $(PLACE)/share/man/man8 $(PLACE)/share/doc/humanops $(PLACE)/share/humanops/scripts \
	    $(DESTDIR)$(SYSCONFDIR)/cron.d
	scripts/systemd/make --lib $(PREFIX)/lib/humanops --to $(PLACE)/lib/systemd/system
	install -m 644 scripts/systemd/sysusers.conf $(PLACE)/lib/sysusers.d/humanops.conf
	install -m 644 scripts/systemd/tmpfiles.conf $(PLACE)/lib/tmpfiles.d/humanops.conf
	sed 's|@LIB@|$(PREFIX)/lib/humanops|g' scripts/systemd/cron.in >$(DESTDIR)$(SYSCONFDIR)/cron.d/humanops
	test -e $(DESTDIR)$(SYSCONFDIR)/humanops/humanops.conf || \
	    install -m 640 scripts/humanops.conf $(DESTDIR)$(SYSCONFDIR)/humanops/humanops.conf
	rm -rf $(BUILD)/man && mkdir -p $(BUILD)/man && docs/man/make $(BUILD)/man $(PREFIX)
	for page in $(BUILD)/man/*; do install -m 644 $$page $(PLACE)/share/man/man$${page##*.} || exit; done
	install -m 644 docs/*.md README.md $(PLACE)/share/doc/humanops
	install -d $(PLACE)/share/humanops/monitoring
	install -m 644 scripts/monitoring/* $(PLACE)/share/humanops/monitoring
	install -m 755 scripts/site $(PLACE)/share/humanops/scripts
	install -m 644 scripts/lib.sh scripts/site.sh $(PLACE)/share/humanops/scripts
	printf '#!/bin/sh\nexec %s/share/humanops/scripts/site --share-dir %s/share/humanops --lib-dir %s/lib/humanops "$$@"\n' \
	    $(PREFIX) $(PREFIX) $(PREFIX) >$(PLACE)/lib/humanops/site
	chmod 755 $(PLACE)/lib/humanops/site
	install -m 755 scripts/systemd/prepare $(PLACE)/lib/humanops

dist: all		## a release's files in dist/: sources, their sums, what is linked and shipped
	scripts/dist

release-check:		## what a release must pass: package, fresh install, TLS, reproducible build, page speed
	scripts/release-check

clean:			## what make has built
	rm -rf build

help:
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile

-include $(shell find $(addprefix $(BUILD)/,lib fcgi bench tests) -name '*.d' -type f 2>/dev/null)

#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>

/*
 * The log: one line of JSON to standard error for each event, written by one write(2), so that lines of
 * several processes never mix: {"time":…,"level":…,"program":…,"pid":…,"request_id":…,"event":…, …}. Secrets
 * and bodies never go in.  Control characters and bytes that are not UTF-8 are escaped.
 */

struct json_object;

enum log_level { LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* Names the program; its text must outlive the process.  Called once at start-up. */
void log_open(const char *program);

/* The request that the following lines belong to, NULL between requests; the text must live until changed. */
void log_request(const char *request_id);

/* Lines go to this descriptor from now on, which stays the caller's: for a program that explains them to people. */
void log_divert(int fd);

/* Writes an event with the fields of an object; takes ownership of fields (may be NULL). */
void log_event(enum log_level level, const char *event, struct json_object *fields);

/* Writes an event with one field "text" (at most 1,000 bytes of it). */
void log_text(enum log_level level, const char *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void log_vtext(enum log_level level, const char *event, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

#endif

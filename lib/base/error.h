/*
 * One error message, on the caller's stack.  A function of lib that can fail
 * takes a struct error * last, returns -1 (or NULL) and leaves a sentence
 * here without a final stop and without the name of the file, which its
 * caller adds: "line 2: bad value 'one'" -> "page.prom: line 2: ...".
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>

#define ERROR_MAX 1024

struct error {
	char msg[ERROR_MAX];
};

/* Set the message; a longer one is cut.  e may be NULL.  Returns -1. */
int error_set(struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a function that takes a format itself. */
int error_vset(struct error *e, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Put "...: " before the message that is there.  Returns -1. */
int error_add(struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Set the message with ": " and what errno says behind it.  Returns -1. */
int error_errno(struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__ /* it can't see across files that they return -1 */
#define error_set(...) (error_set(__VA_ARGS__), -1)
#define error_vset(...) (error_vset(__VA_ARGS__), -1)
#define error_add(...) (error_add(__VA_ARGS__), -1)
#define error_errno(...) (error_errno(__VA_ARGS__), -1)
#endif

#endif

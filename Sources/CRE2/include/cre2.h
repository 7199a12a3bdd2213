/* SPDX-License-Identifier: Apache-2.0 */
/* RE2 behind a C face. No exception leaves it. */
#ifndef FALCO_CRE2_H
#define FALCO_CRE2_H
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_pattern cre2_pattern;

/* Compiles `pattern` in POSIX (egrep) syntax over UTF-8. NULL when it is not one; `why`, of `why_capacity` bytes, then holds
 * RE2's reason, ending in NUL. The caller frees the result with `cre2_free`. */
cre2_pattern *cre2_compile(const char *pattern, size_t pattern_length, char *why, size_t why_capacity);

/* Is the whole text a match? Linear in its length. Any number of threads may ask at once. */
bool cre2_full_match(const cre2_pattern *pattern, const char *text, size_t text_length);

void cre2_free(cre2_pattern *pattern);

#ifdef __cplusplus
}
#endif
#endif

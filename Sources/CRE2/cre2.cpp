// SPDX-License-Identifier: Apache-2.0
#include "cre2.h"

#include <cstring>
#include <exception>
#include <new>

#include <re2/re2.h>

struct cre2_pattern {
	explicit cre2_pattern(const re2::StringPiece &pattern, const re2::RE2::Options &options) : compiled(pattern, options) {}
	re2::RE2 compiled;
};

static void explain(char *why, size_t why_capacity, const char *text)
{
	if (why_capacity == 0)
		return;
	std::strncpy(why, text, why_capacity - 1);
	why[why_capacity - 1] = '\0';
}

extern "C" cre2_pattern *cre2_compile(const char *pattern, size_t pattern_length, char *why, size_t why_capacity)
{
	try {
		// The syntax and the leftmost-longest rule of egrep; an error is returned, not logged.
		re2::RE2::Options options(re2::RE2::POSIX);
		options.set_log_errors(false);
		auto *result = new cre2_pattern(re2::StringPiece(pattern, pattern_length), options);
		if (result->compiled.ok())
			return result;
		explain(why, why_capacity, result->compiled.error().c_str());
		delete result;
	} catch (const std::exception &failure) {
		explain(why, why_capacity, failure.what());
	} catch (...) {
		explain(why, why_capacity, "unknown failure");
	}
	return nullptr;
}

extern "C" bool cre2_full_match(const cre2_pattern *pattern, const char *text, size_t text_length)
{
	try {
		return pattern->compiled.Match(
			re2::StringPiece(text, text_length), 0, text_length, re2::RE2::ANCHOR_BOTH, nullptr, 0);
	} catch (...) {
		return false;
	}
}

extern "C" void cre2_free(cre2_pattern *pattern)
{
	delete pattern;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* zlib, and the initialisers that are macros there. */
#ifndef FALCO_CZLIB_H
#define FALCO_CZLIB_H
#include <zlib.h>

/* A stream that reads gzip members (not raw zlib). */
int cz_inflate_gzip_init(z_stream *stream);
/* A stream that writes one gzip member at zlib's default level. */
int cz_deflate_gzip_init(z_stream *stream);
#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "czlib.h"

enum { WINDOW_BITS_GZIP = 15 + 16, MEMORY_LEVEL = 8 };

int cz_inflate_gzip_init(z_stream *stream)
{
	return inflateInit2(stream, WINDOW_BITS_GZIP);
}

int cz_deflate_gzip_init(z_stream *stream)
{
	return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
}

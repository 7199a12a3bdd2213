/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FALCO_ADDRESS_TEXT_H
#define FALCO_ADDRESS_TEXT_H

/* Text of 16 address bytes into at least 46 bytes, without a NUL; returns the count. */
unsigned linux_inet6_text(const void *address, unsigned char *output);
#endif

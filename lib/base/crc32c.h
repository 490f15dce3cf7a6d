/*
 * CRC-32C (Castagnoli; RFC 3720, B.4), the checksum of the store's files and of
 * Prometheus's.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* That of n bytes, going on from crc (0 at first). */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#define CRC32C_BLOCK ((size_t)4096)

/* Those of the CRC32C_BLOCK blocks of p: (n + 4095) / 4096 of them. */
void crc32c_blocks(const void *p, size_t n, uint32_t *out);

#endif

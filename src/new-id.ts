/** Ids of the bank: UUIDs of version 7 (RFC 9562), which sort by time, so that new rows land beside each other in an index. */
import { randomBytes } from 'node:crypto';

/** Random hex digits of one id: 12 bits, two bits of the variant with two unused ones, 60 bits. */
const RANDOM_DIGITS = 19;
/** Random bytes are drawn for many ids at once, because a call costs far more than its bytes. */
const POOL_BYTES = 4_096;
const VARIANT = '89ab';

let pool = '';
let used = 0;
let time = { ms: 0, digits: '' };

export function newId(): string {
  if (used + RANDOM_DIGITS > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex');
    used = 0;
  }
  const random = pool.slice(used, used + RANDOM_DIGITS);
  used += RANDOM_DIGITS;
  const variant = VARIANT[Number.parseInt(random[3] as string, 16) & 3];
  return `${timeDigits()}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7)}`;
}

/** The first 48 bits: milliseconds since 1970. Ids of the same millisecond share their text. */
function timeDigits(): string {
  const ms = Date.now();
  if (ms !== time.ms) {
    const digits = ms.toString(16).padStart(12, '0');
    time = { ms, digits: `${digits.slice(0, 8)}-${digits.slice(8)}` };
  }
  return time.digits;
}

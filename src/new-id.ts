/** Ids of the bank: UUIDs of version 7, which sort by time, so that new rows land beside each other in an index. */
import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const BYTES_PER_ID = 16;
/** Random bytes are drawn for many ids at once, because a call costs far more than its bytes. */
const pool = new Uint8Array(BYTES_PER_ID * 256);
let used = pool.length;

export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + BYTES_PER_ID);
  used += BYTES_PER_ID;
  return v7({ random });
}

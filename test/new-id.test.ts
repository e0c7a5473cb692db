/** Ids: valid UUIDs of version 7, unique, and in the order of time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { newId } from '../src/new-id.ts';

it('are UUIDs of version 7, all different, over many refills of the pool', () => {
  const ids = Array.from({ length: 20_000 }, newId);
  const uuid = z.uuidv7();
  for (const id of ids) expect(uuid.safeParse(id).success, id).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(ids.map((id) => id[19]))).toEqual(new Set('89ab'));
});

it('carry the time in their first 48 bits and sort by it', async () => {
  const before = Date.now();
  const early = newId();
  await sleep(5);
  const late = newId();
  const ms = Number.parseInt(early.replace('-', '').slice(0, 12), 16);
  expect(ms).toBeGreaterThanOrEqual(before);
  expect(ms).toBeLessThanOrEqual(Date.now());
  expect(early < late).toBe(true);
});

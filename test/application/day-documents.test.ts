/** The documents of days that analytics add up. */
import { expect, it } from 'vitest';
import type { ReadingBank } from '../../src/application/bank.ts';
import { dayDocuments } from '../../src/application/queries/day-documents.ts';
import { bankDays } from '../../src/projections/bank-days.ts';
import { newDocument } from '../support/read-model-builders.ts';

it('come in the order of their keys, in whichever the store finds them, and whatever number is asked for', async () => {
  const asked: number[] = [];
  const readModels = {
    getMany: async (_projection: unknown, keys: readonly string[]) => {
      asked.push(keys.length);
      return keys
        .filter((key) => key !== '700')
        .map((key) => newDocument({ key, document: { day: key, currencies: {} } }))
        .toReversed();
    },
  };
  const keys = Array.from({ length: 1_201 }, (_, index) => String(index));
  const found = await dayDocuments({ readModels } as unknown as ReadingBank, bankDays, keys);
  const days = found.ok ? found.value.map(({ day }) => day) : [];
  expect(days).toEqual(keys.filter((key) => key !== '700'));
  expect(asked).toEqual([500, 500, 201]);
});

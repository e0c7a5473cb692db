/** An append that never succeeds: with the pauses between its tries it takes some ten seconds to give up. */
import { expect, it } from 'vitest';
import { newEvents, uniqueName } from '../../support/event-builders.ts';
import { startDoubleAndStore } from './with-double.ts';

it('an append gives up after a bounded number of tries', async () => {
  const { double, store } = await startDoubleAndStore();
  const FAULTS = 1_000;
  double.faults.failWrites('time_out_before_commit', FAULTS);
  await expect(store.append(uniqueName('never'), newEvents(1), 'no_stream')).rejects.toMatchObject({
    name: 'StoreError',
    code: 'unavailable',
  });
  let left = 0;
  while (double.faults.takeWriteFault() !== undefined) left += 1;
  expect(FAULTS - left).toBeGreaterThan(1);
  expect(FAULTS - left).toBeLessThan(20);
});

/** Signals: who is woken when, and that nothing stays behind. */
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Signal } from '../../src/event-sourcing/signal.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Whether each promise has been settled by now. */
async function settled(...promises: readonly Promise<void>[]): Promise<boolean[]> {
  const done = promises.map(() => false);
  for (const [index, promise] of promises.entries()) {
    void promise.then(() => {
      done[index] = true;
    });
  }
  await vi.advanceTimersByTimeAsync(0);
  return done;
}

describe('a signal', () => {
  it('wakes everyone who waits', async () => {
    const signal = new Signal();
    const waiting = [signal.wait(1_000), signal.wait(5_000)];
    expect(await settled(...waiting)).toEqual([false, false]);
    signal.notify();
    expect(await settled(...waiting)).toEqual([true, true]);
  });

  it('does not wake those who come later', async () => {
    const signal = new Signal();
    signal.notify();
    expect(await settled(signal.wait(1_000))).toEqual([false]);
  });

  it('does not wake again those who begin to wait because they were woken', async () => {
    const signal = new Signal();
    let woken = 0;
    const again = async () => {
      await signal.wait(1_000);
      woken += 1;
      await signal.wait(1_000);
      woken += 1;
    };
    void again();
    signal.notify();
    await vi.advanceTimersByTimeAsync(0);
    expect(woken).toBe(1);
  });

  it('wakes by itself when the time is up, and not before', async () => {
    const signal = new Signal();
    const waiting = signal.wait(1_000);
    await vi.advanceTimersByTimeAsync(999);
    expect(await settled(waiting)).toEqual([false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await settled(waiting)).toEqual([true]);
  });

  it('ends a wait when it is aborted, also when that was before', async () => {
    const signal = new Signal();
    const abort = new AbortController();
    const waiting = signal.wait(1_000, abort.signal);
    expect(await settled(waiting)).toEqual([false]);
    abort.abort();
    expect(await settled(waiting, signal.wait(1_000, abort.signal))).toEqual([true, true]);
  });

  it.each<[string, (signal: Signal, abort: AbortController) => void]>([
    ['a notice', (signal) => signal.notify()],
    ['the time', () => vi.advanceTimersByTime(1_000)],
    ['an abort', (_signal, abort) => abort.abort()],
  ])('leaves no timer and no listener behind after %s', async (_, end) => {
    const signal = new Signal();
    const abort = new AbortController();
    const waiting = Array.from({ length: 20 }, () => signal.wait(1_000, abort.signal));
    expect(vi.getTimerCount()).toBe(20);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(20);
    end(signal, abort);
    await Promise.all(waiting);
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  });

  it('sets no timer for a wait that was aborted before', async () => {
    await new Signal().wait(1_000, AbortSignal.abort());
    expect(vi.getTimerCount()).toBe(0);
  });
});

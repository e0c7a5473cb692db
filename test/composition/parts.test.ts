/** Opening with patience, closing in order. */
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { Parts } from '../../src/composition/parts.ts';
import { ConfigError } from '../../src/config.ts';
import { StoreError, type StoreErrorCode } from '../../src/event-sourcing/store-error.ts';

const SERVER = { kind: 'kurrentdb', url: 'esdb://db:2113' } as const;
const FILE = { kind: 'file', path: '/nowhere/events.db' } as const;

function failing(code: StoreErrorCode, times: number): () => Promise<string> {
  let left = times;
  return async () => {
    left -= 1;
    if (left >= 0) throw new StoreError(code, 'db did not answer.');
    return 'opened';
  };
}

describe('opening a store', () => {
  const lines: { setting?: string; failures?: number }[] = [];
  const parts = new Parts(pino({}, { write: (line: string) => lines.push(JSON.parse(line)) }));

  it('waits for a server that does not answer yet, and says which setting names it', async () => {
    expect(await parts.open('OPENBANK_EVENT_STORE', SERVER, failing('unavailable', 2))).toBe('opened');
    expect(lines.map(({ setting, failures }) => [setting, failures])).toEqual([
      ['OPENBANK_EVENT_STORE', 1],
      ['OPENBANK_EVENT_STORE', 2],
    ]);
  });

  it('does not wait for a file: nobody will bring it', async () => {
    const opening = parts.open('OPENBANK_EVENT_STORE', FILE, failing('unavailable', 1));
    await expect(opening).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each(['access_denied', 'unsupported', 'corrupt'] as const)(
    'gives up on %s and names the setting',
    async (code) => {
      const opening = parts.open('OPENBANK_EVENT_STORE', SERVER, failing(code, 1));
      await expect(opening).rejects.toMatchObject({
        code,
        message: expect.stringMatching(/^OPENBANK_EVENT_STORE /),
      });
    },
  );

  it('takes a connection string that cannot be used for a wrong configuration', async () => {
    const opening = parts.open('OPENBANK_EVENT_STORE', SERVER, failing('invalid_request', 1));
    await expect(opening).rejects.toBeInstanceOf(ConfigError);
  });
});

describe('closing', () => {
  it('closes the newest first, all of them even when one fails, and then says what failed', async () => {
    const parts = new Parts(pino({ level: 'silent' }));
    const closed: string[] = [];
    for (const name of ['first', 'second', 'third']) {
      parts.closeLater({
        async close() {
          closed.push(name);
          if (name === 'second') throw new Error('second does not close');
        },
      });
    }
    await expect(parts.close()).rejects.toThrow('second does not close');
    expect(closed).toEqual(['third', 'second', 'first']);
    await parts.close();
    expect(closed).toHaveLength(3);
  });
});

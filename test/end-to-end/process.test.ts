/** The service as a process: it starts, serves and ends, and refuses a setting that it cannot use. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openAccount, posting } from '../support/customers.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { expectOneSentence } from './one-sentence.ts';
import { runToTheEnd, startService } from './service-process.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

describe('a wrong setting', () => {
  it('counts in a .env file too', async () => {
    mkdirSync(directory.file('home'));
    writeFileSync(directory.file('home/.env'), 'OPENBANK_PORT=from-file\n');
    const ended = await runToTheEnd({}, directory.file('home'));
    expect(ended.code).toBe(2);
    expectOneSentence(ended, 'OPENBANK_PORT=from-file ');
  });
});

describe('the running service', () => {
  it('forgets everything when its stores are memory, and leaves no database behind', async () => {
    const settings = {
      OPENBANK_DATA_DIR: directory.file('memory'),
      OPENBANK_EVENT_STORE: 'sqlite::memory:',
      OPENBANK_READ_MODELS: 'sqlite::memory:',
    };
    const service = await startService(settings);
    const id = await openAccount(service.client, { initial_balance: '7.00' });
    const { token } = await service.client.call('deposit', { body: posting(id, '1.00') });
    expect((await service.client.call('getAccount', { params: { id }, token })).body.balance).toBe('8.00');
    expect((await service.client.call('status')).body.event_store.location).toBe(':memory:');
    expect((await service.end()).code).toBe(0);
    expect(existsSync(directory.file('memory/events.db'))).toBe(false);
  });
});

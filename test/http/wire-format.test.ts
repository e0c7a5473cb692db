/** What HTTP itself says about a request: character sets, encodings, entity tags, and cursors that belong to one list. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALICE, openAccount, posting, registerAlice } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';

let bank: RunningBank;
let account: string;
beforeAll(async () => {
  bank = await startBank();
  account = await openAccount(bank.client);
});
afterAll(() => bank.close());

async function deposit(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await fetch(`${bank.url}/api/v1/transactions/deposit`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return [response.status, ((await response.json()) as { code?: string }).code];
}

const bodyWith = (description: string) => JSON.stringify({ ...posting(account, '1.00'), description });

describe('a body', () => {
  it('in another character set is refused', async () => {
    const type = { 'content-type': 'application/json; charset=latin1' };
    expect(await deposit(bodyWith('Gift'), type)).toEqual([415, 'unsupported_media_type']);
  });

  it('that says it is compressed is refused', async () => {
    const encoding = { 'content-encoding': 'gzip' };
    expect(await deposit(bodyWith('Gift'), encoding)).toEqual([415, 'unsupported_media_type']);
  });

  it('that is not UTF-8 is refused', async () => {
    const bytes = Uint8Array.from(
      Buffer.from(bodyWith('Gift#')).map((byte) => (byte === 0x23 ? 0xff : byte)),
    );
    expect(await deposit(bytes)).toEqual([400, 'malformed_json']);
  });

  it.each(['\\ud800', '\\u0000', 'a\\u0007b'])('with %s in a text is refused', async (text) => {
    expect(await deposit(bodyWith('@').replace('@', text))).toEqual([422, 'invalid_text']);
  });
});

describe('a header that is sent twice', () => {
  /** `fetch` would join them. */
  async function send(path: string, headers: Record<string, string | string[]>, body?: object) {
    const method = body ? 'POST' : 'GET';
    return new Promise((resolve, reject) => {
      const sent = request(`${bank.url}${path}`, { method, headers }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        const { code } = JSON.parse(Buffer.concat(chunks).toString()) as { code?: string };
        resolve([response.statusCode, code]);
      });
      sent.once('error', reject);
      sent.end(body && JSON.stringify(body));
    });
  }

  it('is no key, and one key may have a comma', async () => {
    const body = posting(await openAccount(bank.client), '1.00');
    const post = (key: string | string[]) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      return send('/api/v1/transactions/deposit', headers, body);
    };
    for (const keys of [
      ['one', 'two'],
      ['one', 'one'],
    ]) {
      expect(await post(keys)).toEqual([400, 'invalid_idempotency_key']);
    }
    expect(await post('one, two')).toEqual([201, undefined]);
  });

  it('is no ETag to insist on, and no consistency token', async () => {
    const path = `/api/v1/accounts/${account}`;
    const tags = { 'content-type': 'application/json', 'if-match': ['"0"', '"0"'] };
    const body = { amount: '1.00', description: 'Gift' };
    expect(await send(`${path}/deposit`, tags, body)).toEqual([400, 'invalid_if_match']);
    const { token } = await bank.client.call('registerPerson', { body: ALICE });
    const tokens = { 'x-consistency-token': [token, token] };
    expect(await send(path, tokens)).toEqual([400, 'invalid_consistency_token']);
  });
});

describe('If-None-Match', () => {
  it.each([
    ['"0"', 304],
    ['W/"0"', 304],
    ['"7", W/"0"', 304],
    ['*', 304],
    ['"7"', 200],
    ['0', 200],
  ])('%s answers %i', async (tag, status) => {
    const url = `${bank.url}/api/v1/accounts/${account}`;
    const token = (await fetch(url)).headers.get('etag');
    expect(token).toBe('"0"');
    expect((await fetch(url, { headers: { 'if-none-match': tag } })).status).toBe(status);
  });
});

describe('a cursor', () => {
  it('of another list, of another owner, or with something behind it is refused', async () => {
    const owner = await registerAlice(bank.client);
    const { body } = await bank.client.call('createAccount', { body: { owner_id: owner } });
    const second = await bank.client.call('createAccount', { body: { owner_id: owner } });
    const list = { params: { owner_id: owner }, query: { limit: 1 }, token: second.token };
    const { next_cursor: cursor = '' } = (await bank.client.call('getAccountsByOwner', list)).body;
    expect(cursor).not.toBe('');
    for (const [operation, params, wrong] of [
      ['listPersons', {}, cursor],
      ['listAccounts', {}, cursor],
      ['getAccountsByOwner', { owner_id: body.id }, cursor],
      ['getAccountsByOwner', { owner_id: owner }, `${cursor} !!`],
    ] as const) {
      const { status, problem } = await bank.client.refused(operation, { params, query: { cursor: wrong } });
      expect([operation, status, problem.code]).toEqual([operation, 422, 'invalid_cursor']);
    }
  });
});

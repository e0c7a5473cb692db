/** Every request that must be refused, with its code and the field that it points at; afterwards nothing has been written. */
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusSchema } from '../../src/http/schemas/status.ts';
import type { Refusal } from '../support/bank-client.ts';
import { openAccount, posting } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { BAD_AMOUNTS, GOOD_AMOUNTS } from './bad-amounts.ts';
import { asItem, BAD_BATCHES, BAD_ITEMS } from './bad-batches.ts';
import { BAD_BODIES } from './bad-bodies.ts';
import {
  ACCOUNT_COMMANDS,
  buildFixture,
  type Fixture,
  GOOD,
  type Row,
  withLiteral,
} from './bad-input-fixture.ts';
import { BAD_POINTS } from './bad-points.ts';
import { BAD_RANGES } from './bad-ranges.ts';
import {
  BAD_IDS,
  BAD_KEYS,
  BAD_QUERIES,
  BAD_STATEMENTS,
  BAD_TOKENS,
  BROKEN_RULES,
  NO_ROUTE,
} from './bad-requests.ts';

let bank: RunningBank;
let fixture: Fixture;
let ofTheFuture: Promise<Refusal>;
beforeAll(async () => {
  bank = await startBank();
  fixture = await buildFixture(bank);
  // It waits for two seconds, which the other tests need not wait for.
  const { account, token } = fixture;
  ofTheFuture = bank.client.refused('getAccount', {
    params: { id: account },
    token: `${token.split(':')[0]}:999999`,
  });
});
afterAll(() => bank.close());

/** Takes the short way into the app: it is asked very often. */
async function eventCount(): Promise<number> {
  const response = await bank.app.inject('/admin/status');
  return Number(statusSchema.parse(response.json()).event_store.events);
}

/** Rows of one operation that are refused with the same code at the same place: so many of them in the quick tier. */
const ALIKE_MAX = process.env.SLOW === '1' ? Number.POSITIVE_INFINITY : 1;

function sampleOf(rows: readonly Row[]): Row[] {
  const alike = Map.groupBy(rows, ({ operation, code, at }) => `${operation} ${code} ${at}`);
  return [...alike.values()].flatMap((group) => group.slice(0, ALIKE_MAX));
}

/** Several rows in one test: each is named where it fails. */
function itRefuses(what: string, all: readonly Row[]): void {
  const rows = sampleOf(all);
  const operations = [...new Set(rows.map((row) => row.operation))];
  it.each(operations)(`${what} (%s)`, async (operation) => {
    const before = await eventCount();
    for (const row of rows.filter((one) => one.operation === operation)) {
      const { problem, status } = await bank.client
        .refused(operation, row.request(fixture))
        .catch((cause) => {
          throw new Error(`${row.name}: ${cause}`, { cause });
        });
      const [first] = problem.errors ?? [];
      const at = first && `${first.in} ${first.pointer}`;
      expect({ row: row.name, status, code: problem.code, at }).toEqual({
        row: row.name,
        status: row.status,
        code: row.code,
        at: row.at,
      });
    }
    expect(await eventCount()).toBe(before);
  });
}

describe('a bad request is refused, says why and where, and writes nothing:', () => {
  itRefuses('amounts', BAD_AMOUNTS);
  itRefuses('bodies', BAD_BODIES);
  itRefuses('ids', BAD_IDS);
  itRefuses('rules', BROKEN_RULES);
  itRefuses('queries', BAD_QUERIES);
  itRefuses('statements', BAD_STATEMENTS);
  itRefuses('points in time', BAD_POINTS);
  itRefuses('ranges of days', BAD_RANGES);
  itRefuses('tokens', BAD_TOKENS);
  itRefuses('keys', BAD_KEYS);
  itRefuses('batches', BAD_BATCHES);

  it('items of a batch, each as the single route would', async () => {
    const before = await eventCount();
    const raw = `[${BAD_ITEMS.map((row) => asItem(row, fixture)).join(',')}]`;
    const { body } = await bank.client.call('postBatch', { raw });
    const told = body.items.map((item, index) => {
      const problem = 'problem' in item ? item.problem : undefined;
      const [first] = problem?.errors ?? [];
      const at = first && `${first.in} ${first.pointer}`;
      return { row: BAD_ITEMS[index]?.name, status: item.status, code: problem?.code, at };
    });
    expect(told).toEqual(BAD_ITEMS.map(({ name, status, code, at }) => ({ row: name, status, code, at })));
    expect(body).toMatchObject({ posted: 0, refused: BAD_ITEMS.length });
    expect(await eventCount()).toBe(before);
  });

  it('a token beyond the newest event', async () => {
    const { status, problem, headers } = await ofTheFuture;
    expect([status, problem.code, headers.get('retry-after')]).toEqual([
      400,
      'invalid_consistency_token',
      null,
    ]);
  });

  it.each(NO_ROUTE)('%s %s', async (method, path, status, code) => {
    const before = await eventCount();
    const response = await send(method, path);
    expect(response.status).toBe(status);
    expect((await bank.client.problemOf(response)).code).toBe(code);
    expect(await eventCount()).toBe(before);
  });
});

describe('what looks unusual but is right goes through:', () => {
  it.each(GOOD_AMOUNTS)('an amount in %s of %s is %s', async (currency, literal, amount) => {
    const opened = await openAccount(bank.client, { currency });
    const request = withLiteral('deposit', 'amount', literal)({ ...fixture, account: opened });
    const { body } = await bank.client.call('deposit', request);
    expect(body.amount).toBe(amount);
  });

  it('text in any script, as long as it may be, trimmed, and back as it was', async () => {
    const longest = `ä${'語'.repeat(498)}!`;
    const id = await openAccount(bank.client);
    for (const [sent, kept] of [
      [longest, longest],
      ['  Rent for May\n', 'Rent for May'],
      ['"quotes", \\ and 😀', '"quotes", \\ and 😀'],
      ['<script>alert(1)</script>', '<script>alert(1)</script>'],
    ] as const) {
      const { body, token } = await bank.client.call('deposit', { body: posting(id, 1, sent) });
      const read = await bank.client.call('getTransaction', { params: { id: body.transaction_id }, token });
      expect([body.description, read.body.description]).toEqual([kept, kept]);
    }
  });

  it.each([
    ['application/json; charset=utf-8', ''],
    ['APPLICATION/JSON', ''],
    ['application/json', '\ufeff'],
  ])('JSON as %s after %j', async (type, mark) => {
    const account_id = await openAccount(bank.client);
    for (const amount of ['1.50', '1.500000000000000000']) {
      const raw = `${mark}{"account_id":"${account_id}","amount":${amount},"description":"Change"}`;
      const { body } = await bank.client.call('deposit', { raw, headers: { 'content-type': type } });
      expect(body.amount).toBe('1.50');
    }
  });

  it.each(ACCOUNT_COMMANDS)('If-Match with the right revision, or with any (%s)', async (operation) => {
    const id = await openAccount(bank.client, { initial_balance: operation === 'closeAccount' ? 0 : 9 });
    // Nothing but a frozen account can be unfrozen.
    const freeze = { params: { id }, body: { scope: 'ALL', reason: 'Court order' } };
    const { token } =
      operation === 'unfreezeAccount' ? await bank.client.call('freezeAccount', freeze) : { token: '' };
    const { etag } = await bank.client.call('getAccount', { params: { id }, token });
    const { body } = GOOD[operation](fixture);
    const call = (tag: string) => ({ params: { id }, body, headers: { 'if-match': tag } });
    const first = await bank.client.call(operation, call(String(etag)));
    expect(Number(first.etag?.slice(1, -1))).toBe(Number(etag?.slice(1, -1)) + 1);
    if (operation !== 'closeAccount') await bank.client.call(operation, call('*'));
    const stale = await bank.client.refused(operation, call(String(etag)));
    expect(stale.status).toBe(412);
    expect(stale.problem.actual_revision).toBeGreaterThan(0);
  });
});

describe('an answer to what is wrong', () => {
  it('carries the figures that a caller needs', async () => {
    const { problem } = await bank.client.refused('withdrawal', { body: posting(fixture.account, '200') });
    expect(problem).toEqual({
      type: '/problems/insufficient_funds',
      title: 'Insufficient funds',
      status: 422,
      code: 'insufficient_funds',
      detail: '200.00 USD was asked for, 150.00 is available.',
      amount: '200.00',
      balance: '100.00',
      held: '0.00',
      overdraft_limit: '50.00',
      available_balance: '150.00',
      currency: 'USD',
      errors: [
        {
          in: 'body',
          pointer: '/amount',
          code: 'insufficient_funds',
          detail: '200.00 USD was asked for, 150.00 is available.',
        },
      ],
    });
  });

  it('lists everything that is wrong with a body, in plain words', async () => {
    const { problem } = await bank.client.refused('registerPerson', {
      body: { first_name: '', date_of_birth: '2023-02-30', nationality: 'usa', gender: 'X', extra: 1 },
    });
    expect(problem.errors?.map(({ pointer, detail }) => `${pointer}: ${detail}`)).toEqual([
      '/first_name: first_name must not be empty.',
      '/last_name: last_name is required.',
      '/date_of_birth: date_of_birth must be a valid date.',
      '/nationality: nationality must be two capital letters such as US.',
      '/gender: gender must be one of MALE, FEMALE, OTHER.',
      '/extra: extra is not a known field.',
    ]);
  });

  it('keeps a client’s request id, but not one that could be a forged log line', async () => {
    for (const [sent, kept] of [
      ['order-7:2', true],
      ['two words', false],
      ['x'.repeat(101), false],
    ] as const) {
      const response = await bank.client.fetch('GET', '/nope', { headers: { 'x-request-id': sent } });
      expect(response.headers.get('x-request-id') === sent).toBe(kept);
    }
  });

  it('has its meaning at the address that its type names', async () => {
    const { problem } = await bank.client.refused('getAccount', { params: { id: fixture.unknown } });
    const { body } = await bank.client.call('explainProblem', { params: { code: problem.code } });
    expect(`/problems/${body.code}`).toBe(problem.type);
    expect(body).toMatchObject({ status: 404, title: problem.title });
  });

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'malformed_request'],
    ['a header without an end', `GET / HTTP/1.1\r\nx: ${'a'.repeat(20_000)}`, 431, 'headers_too_large'],
  ] as const)('is a problem even to %s', async (_what, bytes, status, code) => {
    const socket = connect(Number(new URL(bank.url).port), '127.0.0.1');
    socket.write(bytes);
    const [head = '', json = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*application/problem\\+json`, 's'));
    expect(JSON.parse(json)).toMatchObject({ status, code });
  });
});

/** A path exactly as it is written: fetch would tidy it up first. */
function send(method: string, path: string): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(bank.url);
    const outgoing = httpRequest({ method, hostname, port, path, agent: new Agent() }, async (incoming) => {
      const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const);
      const status = Number(incoming.statusCode);
      resolve(new Response(await text(incoming), { status, headers: Object.fromEntries(headers) }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

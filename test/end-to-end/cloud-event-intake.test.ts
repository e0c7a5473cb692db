/** CloudEvents that ask the bank for something: in all modes, once by source and id, with an answer for each. */
import { randomUUID } from 'node:crypto';
import { CloudEvent, type CloudEventV1, HTTP } from 'cloudevents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { REQUESTED_TYPES } from '../../src/application/cloud-event-intake.ts';
import type { batchIntakeSchema, intakeSchema } from '../../src/http/schemas/cloud-events.ts';
import { ALICE } from '../support/bank-events.ts';
import { openAccount } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type Single = z.output<typeof intakeSchema>;
type Batch = z.output<typeof batchIntakeSchema>;

let bank: RunningBank;
let account: string;
beforeAll(async () => {
  bank = await startBank();
  account = await openAccount(bank.client, { overdraft_limit: '0.00' });
});
afterAll(() => bank.close());

const deposit = (overrides: Partial<CloudEventV1<unknown>> = {}) => ({
  specversion: '1.0',
  id: randomUUID(),
  source: '/shop',
  type: 'bank.deposit.requested.v1',
  data: { account_id: account, amount: '25.00', description: 'Order' } as unknown,
  ...overrides,
});

const send = async (body: unknown, headers: Record<string, string> = {}, to = bank) => {
  const answer = await to.client.call('receiveCloudEvents', { body, headers });
  return { ...answer, body: answer.body as Single };
};
const sendBatch = async (events: readonly unknown[]) => {
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  const { body } = await bank.client.call('receiveCloudEvents', { body: events, headers });
  return (body as Batch).items;
};
const refused = async (body: unknown, headers: Record<string, string> = {}) =>
  (await bank.client.refused('receiveCloudEvents', { body, headers })).problem;

async function balance(of: string, from = bank): Promise<string> {
  const { body } = await from.client.call('listAccountEvents', { params: { id: of }, query: { limit: 200 } });
  const { data } = body.items.at(-1) ?? {};
  return String(data?.balance ?? '0.00');
}

describe('the modes', () => {
  const message = () =>
    new CloudEvent({
      ...deposit(),
      datacontenttype: 'application/json',
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      correlationid: 'order-4711',
    });

  it.each(['binary', 'structured'] as const)('%s, as the CloudEvents library sends it', async (mode) => {
    const event = message();
    const { headers, body } = HTTP[mode](event);
    const answer = await bank.client.call('receiveCloudEvents', {
      raw: body as string,
      headers: headers as Record<string, string>,
    });
    expect(answer.body).toMatchObject({
      id: event.id,
      source: '/shop',
      type: event.type,
      replayed: false,
      result: { account_id: account, amount: '25.00', type: 'DEPOSIT' },
    });
    const events = await bank.client.call('listAccountEvents', {
      params: { id: account },
      query: { direction: 'backwards', limit: 1 },
    });
    expect(events.body.items[0]?.metadata).toMatchObject({
      correlation_id: 'order-4711',
      causation_id: event.id,
      traceparent: event.traceparent,
    });
  });

  it('plain JSON that is an event', async () => {
    expect((await send(deposit())).body.result).toMatchObject({ amount: '25.00' });
  });

  it('binary with a percent-encoded header', async () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'caf%C3%A9%201',
      'ce-source': '/shop',
      'ce-type': 'bank.deposit.requested.v1',
    };
    expect((await send(deposit().data, headers)).body.id).toBe('café 1');
    expect((await refused(deposit().data, { ...headers, 'ce-id': '%E9' })).code).toBe('invalid_cloud_event');
  });

  it('an amount keeps every digit that was sent', async () => {
    const raw = JSON.stringify(deposit()).replace('"25.00"', '9999999999999999.01');
    const headers = { 'content-type': 'application/cloudevents+json' };
    const { problem } = await bank.client.refused('receiveCloudEvents', { raw, headers });
    expect(problem.code).toBe('amount_too_large');
  });
});

describe('each type', () => {
  it('does what the route of its command does', async () => {
    const ask = async (type: string, data: unknown) =>
      (await send({ ...deposit(), type: `bank.${type}.requested.v1`, data })).body;
    const person = await ask('person.registration', ALICE);
    expect(person.result).toMatchObject(ALICE);
    const owner = person.result.id;
    const opened = await ask('account.opening', { owner_id: owner, initial_balance: '10.00' });
    expect(opened.result).toMatchObject({ owner_id: owner, balance: '10.00', status: 'ACTIVE' });
    const account_id = opened.result.id;
    const posting = { account_id, amount: '10.00', description: 'x' };
    await ask('deposit', posting);
    await ask('withdrawal', posting);
    const taken = await ask('withdrawal', posting);
    expect(taken.result).toMatchObject({ balance: '0.00', type: 'WITHDRAWAL' });
    const limited = await ask('account.overdraft-limit-change', { account_id, overdraft_limit: '5.00' });
    expect(limited.result).toMatchObject({ overdraft_limit: '5.00' });
    const closed = await ask('account.closing', { account_id, reason: 'moved' });
    expect(closed.result).toMatchObject({ status: 'CLOSED' });
    expect(REQUESTED_TYPES).toHaveLength(6);
  });

  it('goes by the prefix that is configured', async () => {
    const other = await startBank({ settings: { CLOUD_EVENT_TYPE_PREFIX: 'org.example' } });
    try {
      const type = 'org.example.person.registration.requested.v1';
      const { body } = await send({ ...deposit(), type, data: ALICE }, {}, other);
      expect(body.type).toBe(type);
      const { problem } = await other.client.refused('receiveCloudEvents', {
        body: { ...deposit(), type: 'bank.person.registration.requested.v1', data: ALICE },
      });
      expect(problem.code).toBe('unknown_event_type');
    } finally {
      await other.close();
    }
  });
});

describe('an event that comes again', () => {
  it('gets its first answer again, marked, and is not done again', async () => {
    const event = deposit();
    const first = await send(event);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    await send(deposit());
    const before = await balance(account);
    const again = await send(event);
    expect(again.body).toEqual({ ...first.body, replayed: true });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect([again.etag, again.token]).toEqual([first.etag, first.token]);
    expect(await balance(account)).toBe(before);
  });

  it('in another mode, with its fields in another order, is the same', async () => {
    const event = deposit();
    const first = await send(event);
    const { account_id, amount, description } = event.data as Record<string, string>;
    const turned = { ...event, data: { description, amount, account_id } };
    const { headers, body } = HTTP.binary(new CloudEvent({ ...turned, datacontenttype: 'application/json' }));
    const again = await bank.client.call('receiveCloudEvents', {
      raw: body as string,
      headers: headers as Record<string, string>,
    });
    expect(again.body).toEqual({ ...first.body, replayed: true });
  });

  it.each([
    ['another amount', { data: { amount: '26.00' } }],
    ['another type', { type: 'bank.withdrawal.requested.v1' }],
  ])('with %s is a conflict', async (_what, change) => {
    const event = deposit();
    await send(event);
    const data = { ...(event.data as object), ...('data' in change ? change.data : {}) };
    expect((await refused({ ...event, ...change, data })).code).toBe('idempotency_conflict');
  });

  it('with the id of another source is another one', async () => {
    const event = deposit();
    await send(event);
    expect((await send({ ...event, source: '/other' })).body.replayed).toBe(false);
  });

  it('after a refusal that wrote nothing is decided anew', async () => {
    const poor = await openAccount(bank.client, { overdraft_limit: '0.00' });
    const data = { account_id: poor, amount: '5.00', description: 'Rent' };
    const event = { ...deposit(), type: 'bank.withdrawal.requested.v1', data };
    expect((await refused(event)).code).toBe('insufficient_funds');
    await send(deposit({ data: { ...data, amount: '50.00' } }));
    expect((await send(event)).body.replayed).toBe(false);
    expect((await send(event)).body.replayed).toBe(true);
  });

  it('many times at once is done once', async () => {
    const event = deposit({
      data: { account_id: await openAccount(bank.client), amount: '1.00', description: 'x' },
    });
    const answers = await Promise.all(Array.from({ length: 12 }, () => send(event)));
    expect(answers.filter(({ body }) => !body.replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body.result))).size).toBe(1);
  });

  it('makes one person and one account, also after a restart', async () => {
    const directory = temporaryDirectory();
    const registration = {
      ...deposit(),
      type: 'bank.person.registration.requested.v1',
      data: ALICE as unknown,
    };
    const answers: Single[] = [];
    try {
      for (let run = 0; run < 2; run += 1) {
        const restarted = await startBank({ dataDir: directory.file('data') });
        try {
          for (let again = 0; again < 2; again += 1) {
            const person = await send(registration, {}, restarted);
            const data = { owner_id: person.body.result.id, initial_balance: '7.00' };
            const opening = {
              ...registration,
              id: 'opening',
              type: 'bank.account.opening.requested.v1',
              data,
            };
            const opened = await send(opening, {}, restarted);
            const account_id = opened.body.result.id as string;
            const deposited = await send(
              { ...deposit(), id: 'first', data: { account_id, amount: '1.00', description: 'x' } },
              {},
              restarted,
            );
            answers.push(person.body, opened.body, deposited.body);
            expect(await balance(account_id, restarted)).toBe('8.00');
          }
        } finally {
          await restarted.close();
        }
      }
    } finally {
      directory.remove();
    }
    const [person, opened, deposited] = answers;
    for (const [index, answer] of answers.entries()) {
      const first = [person, opened, deposited][index % 3];
      expect(answer).toEqual({ ...first, replayed: index >= 3 });
    }
  });
});

describe('an event that cannot be done', () => {
  it('is not one whose attributes are null', async () => {
    expect((await send({ ...deposit(), time: null, subject: null })).body.replayed).toBe(false);
  });

  it.each([
    ['a type that asks for nothing', { type: 'bank.transaction.v1' }, 'unknown_event_type'],
    ['a type of somebody else', { type: 'shop.order.v1' }, 'unknown_event_type'],
    ['a type that every object has', { type: 'bank.constructor' }, 'unknown_event_type'],
    ['no id', { id: undefined }, 'invalid_cloud_event'],
    ['an empty id', { id: '' }, 'invalid_cloud_event'],
    ['an id that is a number', { id: 5 }, 'invalid_cloud_event'],
    ['an id with a control character', { id: 'a\u0007' }, 'invalid_cloud_event'],
    ['a long id', { id: 'x'.repeat(201) }, 'invalid_cloud_event'],
    ['no source', { source: undefined }, 'invalid_cloud_event'],
    ['a source that is no URI reference', { source: 'not a {uri}' }, 'invalid_cloud_event'],
    ['an older version', { specversion: '0.3' }, 'invalid_cloud_event'],
    ['no version', { specversion: undefined }, 'invalid_cloud_event'],
    ['an attribute that has no such name', { 'Bad-Name': 'x' }, 'invalid_cloud_event'],
    ['an attribute that is an object', { extension: { a: 1 } }, 'invalid_cloud_event'],
    ['a time that is none', { time: 'yesterday' }, 'invalid_cloud_event'],
    ['data that are XML', { datacontenttype: 'text/xml' }, 'invalid_cloud_event'],
    ['data in base64', { data: undefined, data_base64: 'e30=' }, 'invalid_cloud_event'],
    ['no data', { data: undefined }, 'invalid_cloud_event'],
    ['data that are text', { data: 'deposit, please' }, 'invalid_type'],
  ])('with %s', async (_what, change, code) => {
    expect((await refused({ ...deposit(), ...change })).code).toBe(code);
  });

  it('says why base64 is not taken', async () => {
    const { detail } = await refused({ ...deposit(), data_base64: 'e30=' });
    expect(detail).toBe('data_base64 must not be there: the data are JSON.');
  });

  it.each([
    ['wrong', { amount: '-1' }, 'amount_not_positive', '/data/amount'],
    ['missing', { amount: undefined }, 'missing_field', '/data/amount'],
    ['unknown', { extra: 1 }, 'unknown_field', '/data/extra'],
    ['refused by the account', { amount: '1.001' }, 'amount_too_precise', '/data/amount'],
  ])('points at the field that is %s', async (_what, change, code, pointer) => {
    const event = deposit();
    const problem = await refused({ ...event, data: { ...(event.data as object), ...change } });
    expect(problem.code).toBe(code);
    expect(problem.errors?.[0]).toMatchObject({ in: 'body', pointer, code });
  });

  it('because of its media type', async () => {
    for (const type of ['application/cloudevents+xml', 'text/plain']) {
      expect((await refused(deposit(), { 'content-type': type })).code).toBe('unsupported_media_type');
    }
  });
});

describe('a batch', () => {
  it('is answered item by item, in order, and what fails does not stop the rest', async () => {
    const own = await openAccount(bank.client, { overdraft_limit: '0.00' });
    const posting = (type: string, amount: string) =>
      deposit({ type: `bank.${type}.requested.v1`, data: { account_id: own, amount, description: 'x' } });
    const first = posting('deposit', '10.00');
    const items = await sendBatch([
      first,
      posting('withdrawal', '4.00'),
      posting('withdrawal', '7.00'),
      { ...first, id: undefined },
      'nothing',
      first,
      posting('withdrawal', '6.00'),
    ]);
    expect(items.map(({ status, problem, replayed }) => [status, problem?.code ?? replayed])).toEqual([
      [200, false],
      [200, false],
      [422, 'insufficient_funds'],
      [422, 'invalid_cloud_event'],
      [422, 'invalid_cloud_event'],
      [200, true],
      [200, false],
    ]);
    expect(items.map(({ id }) => id === first.id)).toEqual([true, false, false, false, false, true, false]);
    expect(items[5]?.result).toEqual(items[0]?.result);
    expect(await balance(own)).toBe('0.00');
  });

  it('answers a token that shows all of it', async () => {
    const own = await openAccount(bank.client);
    const events = Array.from({ length: 30 }, () =>
      deposit({ data: { account_id: own, amount: '1.00', description: 'x' } }),
    );
    const { token } = await bank.client.call('receiveCloudEvents', { body: events });
    const { body } = await bank.client.call('getAccount', { params: { id: own }, token });
    expect(body.balance).toBe('30.00');
  });

  it('of too many or of none is refused', async () => {
    expect((await refused(Array.from({ length: 101 }, () => deposit()))).code).toBe('batch_too_large');
    expect((await refused([])).code).toBe('batch_too_large');
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    expect((await refused({}, headers)).code).toBe('invalid_cloud_event');
    expect(await sendBatch(Array.from({ length: 100 }, () => deposit()))).toHaveLength(100);
  });
});

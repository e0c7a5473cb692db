/** The HTTP sink against a local server that reads with the CloudEvents package. */
import type { CloudEventV1 } from 'cloudevents';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpSink } from '../../../src/adapters/cloudevents/http-sink.ts';
import { type HttpReceiver, startReceiver } from '../../support/http-receiver.ts';

const EVENT: CloudEventV1<object> = {
  specversion: '1.0',
  id: 'c8a2b5c4-0001-7000-8000-000000000001',
  source: 'openbank',
  type: 'bank.transaction.v1',
  subject: 'c8a2b5c4-0001-7000-8000-000000000002',
  time: '2026-03-04T05:06:07.890Z',
  datacontenttype: 'application/json',
  dataschema: 'http://127.0.0.1:8899/api/v1/cloud-events/schemas/bank.transaction.v1',
  partitionkey: 'bank-account-1',
  sequence: '0000000041',
  data: { amount: '12.50', currency: 'EUR', description: 'Käse & "Wein"' },
};

let receiver: HttpReceiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

const signal = () => new AbortController().signal;
const send = (options: Partial<ConstructorParameters<typeof HttpSink>[0]> = {}, event = EVENT) =>
  new HttpSink({ url: receiver.url, mode: 'binary', ...options }).send(event, signal());

describe('an event', () => {
  it.each(['binary', 'structured'] as const)('arrives as it was, in %s mode', async (mode) => {
    expect(await send({ mode })).toEqual({ kind: 'delivered' });
    const [{ event, headers } = { event: undefined, headers: undefined }] = receiver.received;
    expect({ ...event }).toMatchObject(EVENT);
    expect(headers?.['content-type']).toMatch(
      mode === 'binary' ? /^application\/json/ : /^application\/cloudevents\+json/,
    );
    expect(headers?.['ce-id']).toBe(mode === 'binary' ? EVENT.id : undefined);
  });

  it('has its header values percent-encoded', async () => {
    await send({}, { ...EVENT, correlationid: 'a b"%é€', causationid: 'plain-1.2:3_~' });
    const { headers } = receiver.received[0] ?? {};
    expect(headers?.['ce-correlationid']).toBe('a%20b%22%25%C3%A9%E2%82%AC');
    expect(headers?.['ce-causationid']).toBe('plain-1.2:3_~');
  });

  it('that breaks the specification is not sent', async () => {
    const outcome = await send({}, { ...EVENT, dataschema: 'no absolute URI' });
    expect(outcome).toMatchObject({ kind: 'unpublishable' });
    expect(receiver.received).toEqual([]);
  });
});

describe('the credentials of an address', () => {
  it('become a header, and are in no reason', async () => {
    const url = receiver.url.replace('//', '//bank:s%3Acret@');
    expect(await send({ url })).toEqual({ kind: 'delivered' });
    expect(receiver.received[0]?.headers.authorization).toBe(`Basic ${btoa('bank:s:cret')}`);
    await receiver.close();
    expect(JSON.stringify(await send({ url }))).not.toContain('cret');
  });
});

describe('an answer', () => {
  it.each([
    [200, 'delivered'],
    [202, 'delivered'],
    [301, 'refused'],
    [307, 'refused'],
    [400, 'refused'],
    [401, 'refused'],
    [404, 'refused'],
    [422, 'refused'],
    [500, 'refused'],
    [408, 'unreachable'],
    [502, 'unreachable'],
    [504, 'unreachable'],
    [425, 'busy'],
    [429, 'busy'],
    [503, 'busy'],
  ])('%i is %s', async (status, kind) => {
    receiver.answer = (response) => response.writeHead(status, { location: '/elsewhere' }).end();
    const outcome = await send();
    expect(outcome.kind).toBe(kind);
    if (outcome.kind !== 'delivered') expect(outcome.reason).toBe(`the sink answered ${status}`);
    expect(receiver.received).toHaveLength(1);
  });

  it.each([
    ['7', 7_000, 7_000],
    ['86400', 300_000, 300_000],
    [new Date(Date.now() + 60_000).toUTCString(), 50_000, 60_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0, 0],
  ])('that asks to wait %s is understood', async (value, least, most) => {
    receiver.answer = (response) => response.writeHead(503, { 'retry-after': value }).end();
    const outcome = await send();
    const { retryAfterMs = -1 } = outcome as { retryAfterMs?: number };
    expect(retryAfterMs).toBeGreaterThanOrEqual(least);
    expect(retryAfterMs).toBeLessThanOrEqual(most);
  });

  it('that asks to wait for nonsense is taken without it', async () => {
    receiver.answer = (response) => response.writeHead(503, { 'retry-after': 'soon' }).end();
    expect(await send()).toEqual({ kind: 'busy', reason: 'the sink answered 503' });
  });

  it('that never ends is cut off, and its status counts', async () => {
    receiver.answer = (response) => {
      response.writeHead(200);
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(16_384), () => setImmediate(more));
      };
      more();
    };
    expect(await send()).toEqual({ kind: 'delivered' });
  });
});

describe('no answer', () => {
  it('in time is unreachable', async () => {
    receiver.answer = () => {};
    expect(await send({ timeoutMs: 50 })).toEqual({ kind: 'unreachable', reason: 'no answer within 50 ms' });
  });

  it('because nobody listens is unreachable', async () => {
    await receiver.close();
    expect(await send()).toEqual({ kind: 'unreachable', reason: 'ECONNREFUSED' });
  });

  it('because the connection breaks is unreachable', async () => {
    receiver.answer = (response) => response.destroy();
    expect(await send()).toMatchObject({ kind: 'unreachable' });
  });

  it('because the publisher stops comes at once', async () => {
    receiver.answer = () => {};
    const stopping = new AbortController();
    const sent = new HttpSink({ url: receiver.url, mode: 'binary' }).send(EVENT, stopping.signal);
    stopping.abort();
    expect(await sent).toMatchObject({ kind: 'unreachable' });
  });
});

/** Requests whose clients do not wait for the answer, and the page of a process that is only a worker. */
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { buildWorkerApp } from '../../src/http/app.ts';
import { installHttpMetrics } from '../../src/http/metrics.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import { newId } from '../../src/new-id.ts';
import { eventually } from '../support/eventually.ts';
import { MetricsPage } from '../support/metrics-page.ts';

let app: FastifyInstance;
let url: string;
let metrics: ServiceMetrics;
/** Lets the answers of `/slow/:id` go. */
let answerSlowly: () => void;
beforeEach(async () => {
  metrics = new ServiceMetrics({ version: '1.2.3', role: 'api', node: 'here' });
  const waiting = new Promise<void>((resolve) => {
    answerSlowly = resolve;
  });
  app = Fastify({ forceCloseConnections: true });
  installHttpMetrics(app, metrics.requests);
  app.get('/slow/:id', async () => {
    await waiting;
    return 'done';
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  answerSlowly();
  await app.close();
});

const read = async () => new MetricsPage((await metrics.page()).text);

async function inFlight(count: number): Promise<void> {
  await eventually(`${count} in flight`, async () => {
    return (await read()).value('openbank_http_requests_in_flight') === count;
  });
}

it('are in flight until the client hangs up, and are counted as aborted', async () => {
  const hangUp = new AbortController();
  const aborted = fetch(`${url}/slow/1`, { signal: hangUp.signal }).catch((error: Error) => error.name);
  const patient = fetch(`${url}/slow/2`);
  await inFlight(2);
  hangUp.abort();
  expect(await aborted).toBe('AbortError');
  await inFlight(1);
  answerSlowly();
  expect(await (await patient).text()).toBe('done');
  await inFlight(0);
  expect((await read()).table('openbank_http_request_duration_seconds_count')).toEqual({
    'GET /slow/:id aborted': 1,
    'GET /slow/:id 200': 1,
  });
});

it('a process that is only a worker has a page too', async () => {
  const unused = () => Promise.reject(new Error('nobody asks'));
  const logger = pino({ level: 'silent' });
  const worker = await buildWorkerApp({ logger, newId, metrics, status: unused, readiness: unused });
  try {
    await worker.inject({ url: '/api/v1/accounts' });
    const { statusCode, headers, body } = await worker.inject({ url: '/metrics' });
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const counted = new MetricsPage(body).table('openbank_http_request_duration_seconds_count');
    expect(counted).toEqual({ 'GET unmatched 404': 1 });
  } finally {
    await worker.close();
  }
});

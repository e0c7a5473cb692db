/**
 * Entry of the load generator: raw keep-alive sockets, requests built beforehand, answers read as far as needed.
 *
 * Beside it on two cores, bare Fastify took 9,400 deposits a second at 31 µs of generator CPU each; autocannon took
 * 100 µs each, which left it 5,500. The less the generator needs, the less it blurs what is compared.
 */
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { FromGenerator, LoadResult, LoadSpec, LoadTarget } from './load.ts';

const HOST = '127.0.0.1';
const READ_BUFFER_BYTES = 64 * 1024;
/** How long answers may take after the last request was sent, in milliseconds. */
const DRAIN_MS_MAX = 15_000;
/** Latencies are counted in steps of 50 µs up to two seconds. */
const LATENCY_STEPS_PER_MS = 20;
const LATENCY_STEPS = 2_000 * LATENCY_STEPS_PER_MS;
const KEY_HEADER = 'idempotency-key: ';
/** As long as the key that takes its place. */
const NO_KEY = '-'.repeat(36);
const DIGIT_ZERO = 0x30;
const STATUS_AT = 'HTTP/1.1 '.length;
const CONTENT_LENGTH = Buffer.from('\r\ncontent-length: ');
const HEADERS_END = Buffer.from('\r\n\r\n');

process.on('disconnect', () => process.exit(0));
process.on('message', (spec: LoadSpec) => void answer(spec));

async function answer(spec: LoadSpec): Promise<void> {
  // Whoever asked may have been interrupted: then nobody waits for the answer, and that is no error.
  const report = (message: FromGenerator) => process.send?.(message, undefined, undefined, () => {});
  try {
    report({ kind: 'done', result: await new LoadRun(spec).run() });
  } catch (error) {
    report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

/** One run: opens the connections, keeps one request under way on each, and counts. */
class LoadRun {
  readonly #spec: LoadSpec;
  readonly #requests: readonly Buffer[];
  readonly #latencies = new Uint32Array(LATENCY_STEPS);
  readonly #connections: Connection[] = [];
  #next = 0;
  #busy = 0;
  #accepted = 0;
  #acceptedInTime = 0;
  #failed = 0;
  #firstFailure: string | undefined;
  #endsAt = Number.POSITIVE_INFINITY;
  #finished: () => void = () => {};

  constructor(spec: LoadSpec) {
    this.#spec = spec;
    this.#requests = spec.targets.map((target) => requestFor(target, spec));
  }

  async run(): Promise<LoadResult> {
    const { connections, port, seconds } = this.#spec;
    for (let index = 0; index < connections; index += 1) {
      this.#connections.push(await Connection.open(port, this));
    }
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    if (seconds !== undefined) this.#endsAt = startedAt + seconds * 1000;
    await this.#untilDone();
    const elapsed = (seconds ?? (performance.now() - startedAt) / 1000) || Number.EPSILON;
    const cpu = process.cpuUsage(cpuBefore);
    for (const connection of this.#connections) connection.close();
    return {
      accepted: this.#accepted,
      failed: this.#failed,
      ...(this.#firstFailure === undefined ? {} : { firstFailure: this.#firstFailure }),
      rate: this.#acceptedInTime / elapsed,
      latencyMs: { p50: this.#latency(0.5), p99: this.#latency(0.99), max: this.#latency(1) },
      cpu: (cpu.user + cpu.system) / 1e6 / elapsed,
    };
  }

  answered(status: number, latencyMs: number, now: number): void {
    if (status >= 200 && status < 300) this.#accepted += 1;
    if (status >= 200 && status < 300 && now <= this.#endsAt) this.#acceptedInTime += 1;
    const step = Math.min(LATENCY_STEPS - 1, Math.floor(latencyMs * LATENCY_STEPS_PER_MS));
    this.#latencies[step] = (this.#latencies[step] ?? 0) + 1;
  }

  failed(reason: string): void {
    this.#failed += 1;
    this.#firstFailure ??= reason;
  }

  /** The connection sends its next request; when there is none, it is done. */
  carryOn(connection: Connection, now: number): void {
    const request = this.#nextRequest(now);
    if (request) connection.send(this.#spec.keyed ? withNewKey(request) : request, now);
    else this.leave();
  }

  leave(): void {
    this.#busy -= 1;
    if (this.#busy === 0) this.#finished();
  }

  #untilDone(): Promise<void> {
    return new Promise((resolve, reject) => {
      const limit = ((this.#spec.seconds ?? 60) * 1000 + DRAIN_MS_MAX) | 0;
      const overdue = setTimeout(() => reject(new Error('the server stopped answering')), limit);
      this.#finished = () => {
        clearTimeout(overdue);
        resolve();
      };
      this.#busy = this.#connections.length;
      for (const connection of this.#connections) this.carryOn(connection, performance.now());
    });
  }

  #nextRequest(now: number): Buffer | undefined {
    if (this.#spec.seconds === undefined) return this.#requests[this.#next++];
    if (now >= this.#endsAt) return undefined;
    return this.#requests[Math.floor(Math.random() * this.#requests.length)];
  }

  #latency(share: number): number {
    const total = this.#latencies.reduce((sum, count) => sum + count, 0);
    let seen = 0;
    const step = this.#latencies.findIndex((count) => {
      seen += count;
      return count > 0 && seen >= total * share;
    });
    return (step + 1) / LATENCY_STEPS_PER_MS;
  }
}

class Connection {
  readonly #run: LoadRun;
  readonly #socket: Socket;
  #sentAt = 0;
  #waiting = false;
  /** The beginning of an answer whose rest has not arrived. */
  #partial: Buffer | undefined;

  static open(port: number, run: LoadRun): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const connection = new Connection(port, run);
      connection.#socket.once('error', reject);
      connection.#socket.once('connect', () => {
        connection.#socket.off('error', reject);
        resolve(connection);
      });
    });
  }

  private constructor(port: number, run: LoadRun) {
    this.#run = run;
    // One buffer for all reads of a connection: a fresh one per answer would be most of the garbage here.
    const callback = (bytes: number, buffer: Uint8Array) => {
      this.#received(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
      return true;
    };
    const onread = { buffer: Buffer.alloc(READ_BUFFER_BYTES), callback };
    this.#socket = connect({ host: HOST, port, noDelay: true, onread });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#broken());
  }

  send(request: Buffer, now: number): void {
    this.#sentAt = now;
    this.#waiting = true;
    this.#socket.write(request);
  }

  close(): void {
    this.#waiting = false;
    this.#socket.destroy();
  }

  #received(chunk: Buffer): void {
    const answer = this.#partial ? Buffer.concat([this.#partial, chunk]) : chunk;
    if (!isComplete(answer)) {
      this.#partial = Buffer.from(answer);
      return;
    }
    this.#partial = undefined;
    this.#waiting = false;
    const now = performance.now();
    const status = statusOf(answer);
    this.#run.answered(status, now - this.#sentAt, now);
    if (status < 200 || status > 299) this.#run.failed(answer.toString());
    this.#run.carryOn(this, now);
  }

  #broken(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#run.failed('the server closed a connection before it had answered');
    this.#run.leave();
  }
}

function requestFor({ path, body }: LoadTarget, { port, keyed }: LoadSpec): Buffer {
  const key = keyed ? `${KEY_HEADER}${NO_KEY}\r\n` : '';
  const start = `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nhost: ${HOST}:${port}\r\n${key}`;
  if (body === undefined) return Buffer.from(`${start}\r\n`);
  const length = Buffer.byteLength(body);
  return Buffer.from(`${start}content-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`);
}

/** A copy of the request with the next key in it: what was sent before may still be on its way. */
function withNewKey(request: Buffer): Buffer {
  const keyed = Buffer.from(request);
  keyed.write(randomUUID(), keyed.indexOf(KEY_HEADER) + KEY_HEADER.length);
  return keyed;
}

function statusOf(answer: Buffer): number {
  const digit = (index: number) => (answer[STATUS_AT + index] ?? 0) - DIGIT_ZERO;
  return digit(0) * 100 + digit(1) * 10 + digit(2);
}

/** Whether headers and body are all there; the servers under test always say the body's length. */
function isComplete(answer: Buffer): boolean {
  const headersEnd = answer.indexOf(HEADERS_END);
  if (headersEnd < 0) return false;
  let at = answer.indexOf(CONTENT_LENGTH) + CONTENT_LENGTH.length;
  if (at < CONTENT_LENGTH.length || at > headersEnd) throw new Error('an answer has no content-length');
  let length = 0;
  for (let byte = answer[at] ?? 0; byte >= DIGIT_ZERO; byte = answer[++at] ?? 0) {
    length = length * 10 + byte - DIGIT_ZERO;
  }
  return answer.length >= headersEnd + HEADERS_END.length + length;
}

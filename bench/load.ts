/** The load generator as the benchmarks see it: a process of its own that is told what to send and answers figures. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

export interface LoadTarget {
  readonly path: string;
  /** JSON text; with one, the request is a POST. */
  readonly body?: string;
}

export interface LoadSpec {
  readonly port: number;
  readonly connections: number;
  readonly targets: readonly LoadTarget[];
  /** Whether each request has an `Idempotency-Key` of its own. */
  readonly keyed?: boolean;
  /** How long to send requests to targets chosen at random; without it, each target is asked exactly once. */
  readonly seconds?: number;
}

export interface LoadResult {
  /** Answers with a status of 2xx, those after the end of the time included. */
  readonly accepted: number;
  /** Every other answer, and every connection that broke. */
  readonly failed: number;
  readonly firstFailure?: string;
  /** Answers per second within the time. */
  readonly rate: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** CPU time that the generator itself took, in seconds of it per second. */
  readonly cpu: number;
}

export type FromGenerator =
  | { readonly kind: 'done'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly message: string };

export interface LoadGenerator {
  /** @throws Error when the server could not be reached, stopped answering, or refused a request. */
  run(spec: LoadSpec): Promise<LoadResult>;
  stop(): void;
}

export function startLoadGenerator(): LoadGenerator {
  const child = fork(join(import.meta.dirname, 'load-process.ts'), { stdio: 'inherit' });
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    async run(spec) {
      const result = await ask(child, spec);
      if (result.failed > 0) throw new Error(`${result.failed} requests failed: ${result.firstFailure}`);
      return result;
    },
    stop() {
      if (child.connected) child.disconnect();
    },
  };
}

function ask(child: ChildProcess, spec: LoadSpec): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('the load generator ended unexpectedly'));
    child.once('exit', ended);
    child.once('message', (message: FromGenerator) => {
      child.off('exit', ended);
      if (message.kind === 'done') resolve(message.result);
      else reject(new Error(message.message));
    });
    child.send(spec);
  });
}

/** Turns async handlers into what grpc-js wants, and writes answers with back-pressure. */
import { type EventEmitter, once } from 'node:events';
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServerUnaryCall,
  ServerWritableStream,
} from '@grpc/grpc-js';
import { toRpcError } from './rpc-errors.ts';

/** The peer is gone, so there is nobody to answer. */
export class CallEnded extends Error {}

export function unary<Req, Resp>(
  handler: (call: ServerUnaryCall<Req, Resp>) => Promise<Resp | undefined> | Resp | undefined,
): handleUnaryCall<Req, Resp> {
  return async (call, respond) => {
    try {
      const answer = await handler(call);
      if (answer !== undefined) respond(null, answer);
    } catch (error) {
      respond(toRpcError(error));
    }
  };
}

export function serverStreaming<Req, Resp>(
  handler: (call: ServerWritableStream<Req, Resp>) => Promise<void>,
): handleServerStreamingCall<Req, Resp> {
  return async (call) => {
    try {
      await handler(call);
      call.end();
    } catch (error) {
      if (!(error instanceof CallEnded)) call.emit('error', toRpcError(error));
    }
  };
}

/** What server streaming and bidirectional calls have in common. */
interface WritableCall<Resp> extends EventEmitter {
  readonly cancelled: boolean;
  write(message: Resp): boolean;
}

/** One answer after the other; waits while the peer does not read. */
export class ResponseWriter<Resp> {
  readonly #call: WritableCall<Resp>;
  readonly #ended = new AbortController();

  constructor(call: WritableCall<Resp>) {
    this.#call = call;
    call.on('cancelled', () => this.#ended.abort());
    call.on('close', () => this.#ended.abort());
    if (call.cancelled) this.#ended.abort();
  }

  /** Aborts when the call is over. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** @throws CallEnded */
  async write(message: Resp): Promise<void> {
    if (this.signal.aborted) throw new CallEnded();
    if (this.#call.write(message)) return;
    try {
      await once(this.#call, 'drain', { signal: this.signal });
    } catch {
      throw new CallEnded();
    }
  }
}

/** Posts CloudEvents to an HTTP address, in binary or structured mode, and says what became of each. */
import { CloudEvent, type CloudEventV1, HTTP } from 'cloudevents';
import type { DeliveryOutcome } from '../../event-sourcing/reactor-delivery.ts';

export interface HttpSinkOptions {
  /** `user:password@` in it becomes an authorization header, and is never part of a message. */
  readonly url: string;
  readonly mode: 'binary' | 'structured';
  /** For one try, its answer included. Default 10,000. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS_DEFAULT = 10_000;
/** Bytes of an answer that are read so that the connection can be used again; a longer one costs the connection. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** The longest that a sink may ask to wait. */
const RETRY_AFTER_MS_MAX = 300_000;

/** Too early or too much: the same event may be welcome later. */
const BUSY: ReadonlySet<number> = new Set([425, 429, 503]);
/** Somebody answered for a sink that did not. */
const UNANSWERED: ReadonlySet<number> = new Set([408, 502, 504]);

export class HttpSink {
  readonly #url: string;
  readonly #authorization: string | undefined;
  readonly #mode: HttpSinkOptions['mode'];
  readonly #timeoutMs: number;

  constructor(options: HttpSinkOptions) {
    const url = new URL(options.url);
    const { username, password } = url;
    if (username || password) this.#authorization = basic(username, password);
    url.username = '';
    url.password = '';
    this.#url = url.href;
    this.#mode = options.mode;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS_DEFAULT;
  }

  /**
   * Tries once. Any 2xx is delivered. Redirects are refused: they would take bank data to an address that nobody
   * configured.
   */
  async send(event: CloudEventV1<object>, signal: AbortSignal): Promise<DeliveryOutcome> {
    let message: { headers: Record<string, string>; body: string };
    try {
      message = this.#encode(event);
    } catch (error) {
      return { kind: 'unpublishable', reason: `It is no valid CloudEvent: ${wordsOf(error)}` };
    }
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        ...message,
        redirect: 'manual',
        signal: AbortSignal.any([signal, timeout]),
      });
      // The status has decided already; an answer that breaks off behind it changes nothing.
      await drain(response).catch(() => undefined);
      return outcomeOf(response);
    } catch (error) {
      const reason = timeout.aborted ? `no answer within ${this.#timeoutMs} ms` : wordsOf(error);
      return { kind: 'unreachable', reason };
    }
  }

  /** @throws when the event breaks the CloudEvents specification */
  #encode(plain: CloudEventV1<object>): { headers: Record<string, string>; body: string } {
    const event = new CloudEvent(plain);
    const { headers, body } = this.#mode === 'binary' ? HTTP.binary(event) : HTTP.structured(event);
    const encoded = Object.entries(headers).map(([name, value]) => [
      name,
      name.startsWith('ce-') ? percentEncoded(String(value)) : String(value),
    ]);
    if (this.#authorization) encoded.push(['authorization', this.#authorization]);
    return { headers: Object.fromEntries(encoded) as Record<string, string>, body: String(body) };
  }
}

function outcomeOf({ status, headers, ok }: Response): DeliveryOutcome {
  if (ok) return { kind: 'delivered' };
  const reason = `the sink answered ${status}`;
  const kind = BUSY.has(status) ? 'busy' : UNANSWERED.has(status) ? 'unreachable' : 'refused';
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'));
  return { kind, reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3). */
function parseRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX);
}

/** Reads an answer to its end, but no further than is worth it. What it says is not kept: it may repeat personal data. */
async function drain({ body }: Response): Promise<void> {
  if (!body) return;
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Uint8Array).byteLength;
    // Leaving the loop cancels the rest.
    if (bytes > ANSWER_BYTES_MAX) return;
  }
}

/** Header values as the HTTP binding wants them (3.1.3.2): printable ASCII without space, quote and percent. */
function percentEncoded(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]+/gu, (part) =>
    [...Buffer.from(part)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function basic(username: string, password: string): string {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** fetch says "fetch failed"; its cause says why. */
function wordsOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : String(error));
}

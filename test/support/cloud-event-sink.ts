/** A sink for CloudEvents that notes what it got, in order, and that a test can take away and bring back. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HTTP } from 'cloudevents';

export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** Revision within the stream. */
  readonly sequence: number;
}

export class CloudEventSink {
  /** As they came, repetitions included. */
  readonly received: ReceivedEvent[] = [];
  #server: Server | undefined;
  #port = 0;

  static async start(): Promise<CloudEventSink> {
    const sink = new CloudEventSink();
    await sink.comeBack();
    return sink;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async goAway(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async comeBack(): Promise<void> {
    const server = createServer(async (request, response) => {
      this.received.push(await readEvent(request));
      response.writeHead(204).end();
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** The first time that each event came. */
  firsts(): ReceivedEvent[] {
    const seen = new Set<string>();
    return this.received.filter(({ id }) => !seen.has(id) && seen.add(id));
  }
}

async function readEvent(request: IncomingMessage): Promise<ReceivedEvent> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const event = HTTP.toEvent({ headers: request.headers, body });
  if (Array.isArray(event)) throw new Error('The publisher sends one event at a time.');
  const { id, type, subject, sequence } = event;
  return { id, type, subject: String(subject), sequence: Number(sequence) };
}

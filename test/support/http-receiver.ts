/** An HTTP server that takes CloudEvents the way a consumer does: with the CloudEvents package. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CloudEventV1, HTTP } from 'cloudevents';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly event: CloudEventV1<Record<string, unknown>>;
}

/** Answers one request; without it, 204. */
export type Answering = (response: ServerResponse, received: Received) => void;

export interface HttpReceiver {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  answer: Answering;
  close(): Promise<void>;
}

/** @param port to come back at the same address after it was gone */
export async function startReceiver(port = 0): Promise<HttpReceiver> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { headers } = request;
    const body = Buffer.concat(parts).toString();
    const event = HTTP.toEvent<Record<string, unknown>>({ headers, body }) as Received['event'];
    const received = { headers, event };
    receiver.received.push(received);
    receiver.answer(response, received);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  const receiver: HttpReceiver = {
    url: `http://127.0.0.1:${address.port}/events`,
    port: address.port,
    received: [],
    answer: (response) => response.writeHead(204).end(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

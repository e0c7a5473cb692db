/** Measures every request, and answers the page that Prometheus reads. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Hears of every request; called on its way, so it must be quick. */
export interface HttpObserver {
  onRequest(): void;
  /**
   * @param route the route's template, such as `/api/v1/accounts/:id`; nothing when the URL leads to no route
   * @param status of the answer; nothing when the client hung up before it was sent
   */
  onAnswer(method: string, route: string | undefined, status: number | undefined, seconds: number): void;
}

/** What a scrape is answered. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

export interface HttpMetrics {
  readonly requests: HttpObserver;
  page(): Promise<MetricsPage>;
}

/** Must be installed before the routes, and before hooks that may answer by themselves. */
export function installHttpMetrics(app: FastifyInstance, observer: HttpObserver): void {
  app.addHook('onRequest', (request, reply, done) => {
    measure(request, reply, observer);
    done();
  });
}

/** From now until the answer was handed to the network, or the client has hung up. */
export function measure(request: FastifyRequest, reply: FastifyReply, observer: HttpObserver): void {
  const startedAt = performance.now();
  observer.onRequest();
  // Not Fastify's onResponse: that one is silent when the client hangs up.
  reply.raw.once('close', () => {
    const { statusCode, writableEnded } = reply.raw;
    const seconds = (performance.now() - startedAt) / 1000;
    const status = writableEnded ? statusCode : undefined;
    observer.onAnswer(request.method, request.routeOptions.url, status, seconds);
  });
}

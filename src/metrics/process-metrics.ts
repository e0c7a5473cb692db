/** What Node.js tells about the process: CPU, memory, garbage collection, event loop. */
import { collectDefaultMetrics, Registry } from 'prom-client';

let registry: Registry | undefined;

/** One for the process, however many services are composed in it: its observers can never be taken away again. */
export function processMetrics(): Registry {
  if (!registry) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry;
}

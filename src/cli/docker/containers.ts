/** The containers of docker-compose.yml: which there are, how they are, and at which addresses they are reached. */
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { CliError } from '../cli-error.ts';
import { baseUrl } from '../project.ts';
import { ask } from './docker.ts';

/** Optional services belong to the project only while their profile is on; looking and ending means them too. */
export const ALL_PROFILES = ['--profile', 'cloudevents'] as const;

const containerSchema = z.object({
  Name: z.string(),
  Service: z.string(),
  State: z.string(),
  Health: z.string().default(''),
  Status: z.string().default(''),
  ExitCode: z.number().default(0),
  Publishers: z
    .array(z.object({ URL: z.string(), TargetPort: z.number(), PublishedPort: z.number() }))
    .nullish()
    .transform((publishers) => publishers ?? []),
});

/** One line of `docker compose ps --format json`. */
export type Container = z.output<typeof containerSchema>;

/** Where a service listens for this machine. */
export type Address = Pick<Config, 'host' | 'port'>;

/** Every container of the project, also those that have ended. @throws CliError when Docker does not tell */
export async function listContainers(): Promise<readonly Container[]> {
  const text = await ask(['compose', ...ALL_PROFILES, 'ps', '--all', '--format', 'json']);
  return readContainers(text);
}

/** Reads one JSON value a line, as new versions of compose write, or one array, as older ones do. */
export function readContainers(text: string): readonly Container[] {
  try {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return lines.flatMap((line) => z.array(containerSchema).parse([JSON.parse(line)].flat()));
  } catch (error) {
    throw new CliError(
      `docker compose ps gave an answer that is not understood: ${(error as Error).message}`,
    );
  }
}

const TARGET_PORTS = {
  api: 8899,
  kurrentdb: 2113,
  'mongo-express': 8081,
  'cloudevents-viewer': 8080,
} as const;

/** The address of a running service on this machine; undefined when it publishes none. */
export function addressOf(
  containers: readonly Container[],
  service: keyof typeof TARGET_PORTS,
): Address | undefined {
  const port = TARGET_PORTS[service];
  for (const { Publishers } of containers.filter(({ Service }) => Service === service)) {
    const published = Publishers.find(
      ({ TargetPort, PublishedPort }) => TargetPort === port && PublishedPort > 0,
    );
    if (published) return { host: published.URL, port: published.PublishedPort };
  }
  return undefined;
}

/** The URL of a running service on this machine. */
export function urlOf(
  containers: readonly Container[],
  service: keyof typeof TARGET_PORTS,
): string | undefined {
  const address = addressOf(containers, service);
  return address && baseUrl(address);
}

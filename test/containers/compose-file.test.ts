/** docker-compose.yml: it satisfies its linter, and agrees with the settings, the image and the documentation. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { NODE_FLAGS } from '../../src/cli/project.ts';
import { loadConfig } from '../../src/config.ts';
import { settings } from '../../src/settings.ts';
import { readDockerfile } from './dockerfile.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');

const serviceSchema = z.object({
  image: z.string(),
  user: z.string().optional(),
  restart: z.string(),
  read_only: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  stop_grace_period: z.string(),
  profiles: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string().nullable()).default({}),
  ports: z
    .array(
      z.union([z.string(), z.object({ target: z.number(), host_ip: z.string(), published: z.string() })]),
    )
    .default([]),
  healthcheck: z.object({ disable: z.boolean().optional() }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});

const { services, volumes } = z
  .object({ services: z.record(z.string(), serviceSchema), volumes: z.record(z.string(), z.null()) })
  .parse(parse(text, { merge: true }));

type Service = z.output<typeof serviceSchema>;

function service(name: string): Service {
  const found = services[name];
  if (!found) throw new Error(`There is no service ${name}.`);
  return found;
}

/** The variables that the file reads, each with its default, if it has one. */
function variables(): Map<string, string> {
  return new Map(
    [...text.matchAll(/\$\{([A-Z_]+)(?::?-([^${}]*))?/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

describe('docker-compose.yml', () => {
  it('satisfies dclint, which also holds it to the schema of the compose specification', () => {
    const linter = join(ROOT, 'node_modules/dclint/bin/dclint.cjs');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [linter, '--max-warnings', '0', 'docker-compose.yml'],
      { cwd: ROOT, encoding: 'utf8' },
    );
    expect({ status, said: (stdout + stderr).trim() }).toEqual({ status: 0, said: '' });
  });

  it('pins every image to a full version, and its own to the one in package.json', () => {
    for (const [name, { image }] of Object.entries(services)) expect([name, image]).toEqual([name, pinned()]);
    for (const name of ['api', 'worker', 'setup']) {
      expect(service(name).image).toBe(`openbank:${packageJson.version}`);
    }
  });

  it('gives API and worker every setting that makes a difference in a container', () => {
    // The image sets where to listen and to keep files; the log goes to stdout, where Docker collects it; backups are
    // made by the servers.
    const unused = ['OPENBANK_LOG_FILE', 'OPENBANK_BACKUP_DIR'];
    const imageSettings = Object.keys(readDockerfile().env());
    const left = Object.keys(settings).filter((name) => ![...imageSettings, ...unused].includes(name));
    for (const name of ['api', 'worker']) {
      expect(Object.keys(service(name).environment).sort()).toEqual(left.toSorted());
    }
  });

  it.each(['api', 'worker'])('runs %s with settings that the service accepts', (name) => {
    const env = Object.entries(service(name).environment).filter(([, value]) => !value?.includes('${'));
    const config = loadConfig({
      ...readDockerfile().env(),
      ...Object.fromEntries(env.map(([variable, value]) => [variable, value ?? ''])),
    });
    expect(config).toMatchObject({
      role: name,
      host: '0.0.0.0',
      eventStore: { kind: 'kurrentdb' },
      readModels: { kind: 'mongodb' },
    });
  });

  it('publishes on this machine only, at the documented ports', () => {
    const published = Object.entries(services).flatMap(([name, { ports }]) =>
      ports.map((port) => [
        name,
        typeof port === 'string' ? port : `${port.host_ip}:${port.published}:${port.target}`,
      ]),
    );
    expect(Object.fromEntries(published)).toEqual({
      // biome-ignore-start lint/suspicious/noTemplateCurlyInString: variables of compose
      api: '${OPENBANK_HOST:-127.0.0.1}:${OPENBANK_PORT:-8899}:8899',
      kurrentdb: '127.0.0.1:${KURRENTDB_PORT:-2113}:2113',
      mongodb: '127.0.0.1:${MONGODB_PORT:-27017}:27017',
      'mongo-express': '127.0.0.1:${MONGO_EXPRESS_PORT:-8081}:8081',
      'cloudevents-viewer': '127.0.0.1:${CLOUDEVENTS_VIEWER_PORT:-8884}:8080',
      // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above
    });
    expect(readDockerfile().all('EXPOSE')).toEqual(['8899']);
  });

  it('runs Node.js with the flags that the command line and `npm start` give it', () => {
    expect(JSON.parse(readDockerfile().one('CMD'))).toEqual(['node', ...NODE_FLAGS, 'src/main.ts']);
    expect(packageJson.scripts.start).toBe(['node', ...NODE_FLAGS, 'src/main.ts'].join(' '));
  });

  it('has defaults that agree with the service itself', () => {
    const { host, port } = loadConfig({});
    expect(variables().get('OPENBANK_HOST')).toBe(host);
    expect(variables().get('OPENBANK_PORT')).toBe(String(port));
  });

  it('gives the service a public address that it takes, also with the ranges of ports in the documentation', () => {
    const guide = readFileSync(join(ROOT, 'docs/docker.md'), 'utf8');
    const commands = [...guide.matchAll(/^((?:\w+=\S+ )*OPENBANK_PORT=.*) docker compose up/gm)];
    expect(commands).not.toEqual([]);
    for (const [, words = ''] of commands) {
      const set = new Map(words.split(' ').map((word) => word.split('=') as [string, string]));
      const url = set.get('OPENBANK_PUBLIC_URL') ?? `http://localhost:${set.get('OPENBANK_PORT')}`;
      expect(() => loadConfig({ OPENBANK_PUBLIC_URL: url })).not.toThrow();
    }
  });

  it('starts in order: servers that are healthy, the setup, then all that need it', () => {
    for (const name of ['api', 'worker', 'mongo-express']) {
      expect(service(name).depends_on).toEqual({ setup: { condition: 'service_completed_successfully' } });
    }
    for (const [name, { condition }] of Object.entries(service('setup').depends_on)) {
      expect([name, condition]).toEqual([name, 'service_healthy']);
      expect(service(name).healthcheck).toBeDefined();
    }
    expect(service('setup').restart).toBe('no');
  });

  it('gives no container a privilege that it can do without', () => {
    for (const [name, { cap_drop, stop_grace_period }] of Object.entries(services)) {
      expect([name, cap_drop, stop_grace_period]).toEqual([name, ['ALL'], expect.stringMatching(/^\d+s$/)]);
    }
    const writable = Object.keys(services).filter((name) => !service(name).read_only);
    expect(writable.sort()).toEqual(['cloudevents-viewer', 'kurrentdb', 'mongo-express']);
  });

  it('keeps the data in named volumes, and knows the one profile that the commands name', () => {
    expect(Object.keys(volumes)).toEqual([
      'archive',
      'kurrentdb-data',
      'kurrentdb-logs',
      'mongodb-data',
      'mongodb-config',
    ]);
    expect(new Set(Object.values(services).flatMap(({ profiles }) => profiles))).toEqual(
      new Set(['cloudevents']),
    );
  });

  it('is documented: every variable that it reads is in docs/docker.md with its default', () => {
    const guide = readFileSync(join(ROOT, 'docs/docker.md'), 'utf8');
    for (const [name, fallback] of variables()) {
      const row = guide.split('\n').find((line) => line.startsWith('|') && line.includes(`\`${name}\``));
      expect([name, row]).toEqual([name, expect.stringContaining(fallback)]);
    }
  });
});

function pinned() {
  return expect.stringMatching(/^[a-z0-9./-]+:v?\d+\.\d+\.\d+(-[a-z0-9.-]+)?$/);
}

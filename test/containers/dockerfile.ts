/** Reads the project's Dockerfile as far as the tests need it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const DOCKERFILE = resolve(import.meta.dirname, '../../Dockerfile');

export interface Instruction {
  /** In capitals, such as `COPY`. */
  readonly name: string;
  readonly rest: string;
}

/** The last stage, which becomes the image, and what the whole file says. */
export class Dockerfile {
  readonly #instructions: readonly Instruction[];

  constructor(instructions: readonly Instruction[]) {
    this.#instructions = instructions;
  }

  /** What follows an instruction of the image's stage, wherever it stands. */
  all(name: string): readonly string[] {
    const from = this.#instructions.findLastIndex((one) => one.name === 'FROM');
    return this.#instructions.slice(from).flatMap((one) => (one.name === name ? [one.rest] : []));
  }

  /** The one instruction of that name in the image's stage. */
  one(name: string): string {
    const [found, ...more] = this.all(name);
    if (found === undefined || more.length > 0) throw new Error(`There is not one ${name}.`);
    return found;
  }

  /** Files of the project that the image gets: sources and target of every COPY that is not from a stage. */
  copies(): readonly { readonly sources: readonly string[]; readonly target: string }[] {
    return this.all('COPY')
      .filter((rest) => !rest.startsWith('--from='))
      .map((rest) => {
        const paths = rest.split(/\s+/);
        return { sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
      });
  }

  /** The environment that the image sets. */
  env(): Readonly<Record<string, string>> {
    const pairs = this.all('ENV').flatMap((rest) => rest.split(/\s+/));
    return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
  }

  /** The default of an ARG before the first stage. */
  argument(name: string): string | undefined {
    const prefix = `${name}=`;
    return this.#instructions
      .find((one) => one.name === 'ARG' && one.rest.startsWith(prefix))
      ?.rest.slice(prefix.length);
  }
}

/** Joins continued lines and leaves out comments. */
export function readDockerfile(): Dockerfile {
  const lines = readFileSync(DOCKERFILE, 'utf8')
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line));
  const instructions = lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), rest };
    });
  return new Dockerfile(instructions);
}

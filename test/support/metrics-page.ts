/** Reads a page in Prometheus' text format 0.0.4, and fails on whatever is not that format. */

export interface Family {
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

type Labels = Readonly<Record<string, string>>;

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/y;
const TYPES = ['counter', 'gauge', 'histogram'];
const SUFFIXES = { histogram: ['_bucket', '_sum', '_count'] } as Readonly<Record<string, string[]>>;

export class MetricsPage {
  readonly families: ReadonlyMap<string, Family>;

  /** @throws when the text is not in the format: the message has the line */
  constructor(text: string) {
    if (!text.endsWith('\n')) throw new Error('the last line does not end');
    const families = new Map<string, { help: string; type: string; samples: Sample[] }>();
    let current = '';
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const [, word, name = '', rest = ''] = COMMENT.exec(line) ?? [];
      if (word === 'HELP') {
        if (families.has(name)) throw new Error(`${name} comes a second time`);
        families.set(name, { help: rest, type: '', samples: [] });
        current = name;
      } else if (word === 'TYPE') {
        const family = families.get(name);
        if (!family || name !== current || !TYPES.includes(rest)) throw new Error(`misplaced: ${line}`);
        family.type = rest;
      } else {
        const sample = parseSample(line);
        const { type = '', samples = [] } = families.get(current) ?? {};
        const names = (SUFFIXES[type] ?? ['']).map((suffix) => current + suffix);
        if (!names.includes(sample.name)) throw new Error(`no sample of ${current}: ${line}`);
        if (samples.some((other) => isSame(other, sample))) throw new Error(`a second time: ${line}`);
        samples.push(sample);
      }
    }
    this.families = families;
  }

  /** The samples of a name whose labels are at least these. */
  samples(name: string, labels: Labels = {}): Sample[] {
    const family = this.families.get(name) ?? this.families.get(name.replace(/_(bucket|sum|count)$/, ''));
    if (!family) throw new Error(`there is no ${name}`);
    return family.samples.filter(
      (one) =>
        one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
    );
  }

  /** The value of the one sample of a name with these labels; `undefined` when there is none. */
  value(name: string, labels: Labels = {}): number | undefined {
    const [first, second] = this.samples(name, labels);
    if (second) throw new Error(`${name} has several samples with ${JSON.stringify(labels)}`);
    return first?.value;
  }

  /** The sum of all samples of a name with these labels. */
  sum(name: string, labels: Labels = {}): number {
    return this.samples(name, labels).reduce((sum, { value }) => sum + value, 0);
  }

  /** Samples by the values of their labels, joined by a blank: those that are not 0. */
  table(name: string): Record<string, number> {
    const counted = this.samples(name).filter(({ value }) => value !== 0);
    return Object.fromEntries(counted.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
  }
}

function parseSample(line: string): Sample {
  const [, name, labels = '', number = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  return { name, labels: parseLabels(labels, line), value: parseNumber(number, line) };
}

function parseLabels(text: string, line: string): Labels {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name = '', value = ''] = LABEL.exec(text) ?? [];
    if (name === '' || name in labels) throw new Error(`wrong labels: ${line}`);
    labels[name] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  return labels;
}

function parseNumber(text: string, line: string): number {
  // Prometheus reads `NaN` in any case, and prom-client writes it as `Nan`.
  if (/^nan$/i.test(text)) return Number.NaN;
  if (/^[+-]Inf$/.test(text)) return text === '+Inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const value = Number(text);
  if (Number.isNaN(value)) throw new Error(`no number: ${line}`);
  return value;
}

function isSame(one: Sample, other: Sample): boolean {
  return one.name === other.name && JSON.stringify(one.labels) === JSON.stringify(other.labels);
}

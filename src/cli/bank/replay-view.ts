/** How a step of a replay looks at a terminal: the event, what it changed, what was found. */
import type { ShownStep } from '../../store-tools/replay-account.ts';
import { alignColumns, paint } from '../terminal.ts';
import { plain } from './table.ts';

/** One line for scripts. */
export function stepJson(step: ShownStep): string {
  return JSON.stringify(step);
}

/** A block of lines, ending with an empty one. */
export function stepText(step: ShownStep): string {
  const head = `${paint('bold', `#${step.revision}`)}  ${step.at}  ${plain(step.type)}`;
  const rows = step.changes.map(({ field, before, after }) => [
    plain(field),
    shown(before),
    '→',
    shown(after),
  ]);
  const lines = [
    head,
    ...dataLine(step.data),
    ...(rows.length === 0 ? [] : [alignColumns(rows, { indent: 4, right: [1] })]),
    ...step.findings.map(findingLine),
    ...todayLines(step.today),
  ];
  return `${lines.join('\n')}\n`;
}

function shown(value: string | null): string {
  return value === null ? '–' : plain(value);
}

/** The words of the event that no change of a field tells. */
function dataLine(data: object): string[] {
  const { type, direction, amount, currency, description, reason } = data as Readonly<
    Record<string, unknown>
  >;
  const words = [type, direction, amount, currency, description, reason].filter((word) => word !== undefined);
  return words.length === 0 ? [] : [`    ${plain(words.join(' '))}`];
}

function findingLine({ severity, code, detail }: ShownStep['findings'][number]): string {
  const mark = severity === 'broken' ? paint('red', `✗ ${code}`) : paint('yellow', `! ${code}`);
  return `  ${mark}: ${plain(detail)}`;
}

function todayLines(today: ShownStep['today']): string[] {
  switch (today?.kind) {
    case undefined:
      return [];
    case 'same':
      return [`  = today: accepted`];
    case 'not_judged':
      return [`  ? today: not judged. ${today.reason}`];
    case 'refused':
      return [`  ${paint('yellow', '≠')} today: refused: ${today.code}. ${plain(today.detail)}`];
    case 'nothing':
      return [`  ${paint('yellow', '≠')} today: nothing would be recorded`];
    case 'otherwise': {
      const fields = today.differences.map(
        ({ field, recorded, today: now }) =>
          `${field} ${now ?? 'missing'} instead of ${recorded ?? 'missing'}`,
      );
      return [`  ${paint('yellow', '≠')} today: accepted, with ${plain(fields.join(', '))}`];
    }
  }
}

/** Invents customers and what happens on their accounts: the same seed and day give the same bank. */
import { decimalsOf } from '../../domain/currency.ts';
import { COUNTRIES, type Country } from './countries.ts';
import { type AccountPlan, Ledger, type Step } from './ledger.ts';
import { type Random, randomFrom } from './random.ts';

/** What decides about the demo. `today` is a date, `2026-03-31`; nothing is dated after it. */
export interface DemoOptions {
  readonly seed: string;
  readonly months: number;
  readonly today: string;
}

/** A person as `POST /persons` wants it. */
export interface PersonPlan {
  readonly first_name: string;
  readonly last_name: string;
  readonly date_of_birth: string;
  readonly nationality: string;
  readonly gender: 'MALE' | 'FEMALE' | 'OTHER';
  readonly address: {
    readonly street_name: string;
    readonly street_number: string;
    readonly zip_code: string;
    readonly city: string;
    readonly state: string;
    readonly country: string;
  };
}

/** One customer: who, which accounts, and what happens on them, in order. */
export interface CustomerPlan {
  readonly person: PersonPlan;
  readonly accounts: readonly AccountPlan[];
  readonly steps: readonly Step[];
}

/** Plans one customer. Each has a seed of its own, so that a bank of any size never lies in memory as a whole. */
export function planCustomer(index: number, options: DemoOptions): CustomerPlan {
  const random = randomFrom(`${options.seed}/${index}`);
  const country = COUNTRIES[index % COUNTRIES.length] ?? COUNTRIES[0];
  const person = planPerson(random, country, options.today);
  const life = planLife(index, random, country);
  const period = { after: monthsBefore(options.today, options.months), until: options.today };
  for (const month of monthsOf(period)) liveMonth(life, month, period);
  finish(life, options.today);
  return { person, accounts: life.ledger.accounts, steps: life.ledger.steps };
}

function planPerson(random: Random, country: Country, today: string): PersonPlan {
  const gender = random.chance(4) ? 'OTHER' : random.pick(['FEMALE', 'MALE'] as const);
  const female = gender === 'FEMALE' || (gender === 'OTHER' && random.chance(50));
  const { city, state, zip_code } = random.pick(country.cities);
  const year = Number(today.slice(0, 4)) - random.whole(20, 78);
  return {
    first_name: random.pick(female ? country.women : country.men),
    last_name: random.pick(country.families),
    date_of_birth: date(year, random.whole(1, 12), random.whole(1, 28)),
    nationality: country.code,
    gender,
    address: {
      street_name: random.pick(country.streets),
      street_number: `${random.whole(1, 148)}${random.chance(15) ? random.pick(['a', 'b', 'c']) : ''}`,
      zip_code,
      city,
      state,
      country: country.code,
    },
  };
}

/** A customer's circumstances. Amounts are minor units. */
interface Life {
  readonly index: number;
  readonly random: Random;
  readonly country: Country;
  readonly ledger: Ledger;
  readonly checking: number;
  readonly savings: number | undefined;
  readonly salary: number;
  readonly rent: number;
  readonly employer: string;
}

/** Every fifth customer lives tightly: little on the account, a small overdraft, and now and then a refusal. */
function planLife(index: number, random: Random, country: Country): Life {
  const tight = index % 5 === 3;
  const ledger = new Ledger(country.currency);
  const salary = price(random, country, tight ? 1500 : 2600, tight ? 1900 : 5400, 10);
  const limit = tight ? price(random, country, 50, 150, 50) : price(random, country, 500, 2000, 100);
  const opening = price(random, country, tight ? 100 : 900, tight ? 400 : 4200, 1);
  const checking = ledger.open('CHECKING', opening, random.chance(75) || tight ? limit : 0);
  // The first customer is the one that the demo shows at its end.
  const saves = !tight && (random.chance(60) || index === 0 || closesSavings(index));
  const savings = saves ? ledger.open('SAVINGS', price(random, country, 500, 9000, 50), 0) : undefined;
  const rent = roundTo(Math.round(salary * (tight ? 0.48 : 0.3)), 10 * minorUnits(country));
  return {
    index,
    random,
    country,
    ledger,
    checking,
    savings,
    salary,
    rent,
    employer: random.pick(country.employers),
  };
}

function closesSavings(index: number): boolean {
  return index % 8 === 2;
}

/** Something that happens on a day of a month. */
interface Happening {
  readonly day: number;
  readonly happen: (life: Life, dated: (what: string) => string) => void;
}

function liveMonth(life: Life, month: string, { after, until }: Period): void {
  const happenings = [...fixedCosts(life), ...shopping(life), ...savingsPlan(life, month)];
  for (const { day, happen } of happenings.sort((a, b) => a.day - b.day)) {
    const when = `${month}-${String(day).padStart(2, '0')}`;
    if (when > after && when <= until) happen(life, (what) => `${when} ${what}`);
  }
}

function fixedCosts({ random, country, salary, rent, employer, index }: Life): readonly Happening[] {
  const spend = (day: number, amount: number, what: string): Happening => ({
    day,
    happen: ({ ledger, checking }, dated) => ledger.withdraw(checking, amount, dated(what)),
  });
  return [
    {
      day: 1,
      happen: ({ ledger, checking }, dated) =>
        ledger.credit('deposit', checking, salary, dated(`Salary, ${employer}`)),
    },
    spend(2, rent, 'Rent'),
    spend(4, price(random, country, 45, 130), 'Electricity and water'),
    spend(6, price(random, country, 25, 60), 'Internet and phone'),
    ...(index % 3 === 0 ? [spend(9, price(random, country, 18, 70), 'Insurance')] : []),
  ];
}

function shopping({ random, country, index }: Life): readonly Happening[] {
  const some = (count: number, from: number, to: number, name: () => string): Happening[] =>
    Array.from({ length: count }, () => {
      const amount = price(random, country, from, to);
      const what = name();
      return {
        day: random.whole(3, 28),
        happen: ({ ledger, checking }, dated) => ledger.withdraw(checking, amount, dated(what)),
      };
    });
  const dining = ['Café', 'Restaurant', 'Lunch', 'Cinema', 'Bookshop', 'Pharmacy'] as const;
  return [
    ...some(random.whole(4, 7), 22, 120, () => `Groceries, ${random.pick(country.grocers)}`),
    ...some(random.whole(2, 5), 4, 55, () => random.pick(dining)),
    ...some(random.whole(1, 2), 30, 80, () => random.pick(['Train tickets', 'Fuel', 'Bus pass'] as const)),
    ...cashWithdrawals(random, country),
    ...(index % 5 === 3 ? [largeWish(random, country)] : []),
  ];
}

function cashWithdrawals(random: Random, country: Country): readonly Happening[] {
  return Array.from({ length: random.whole(1, 2) }, () => {
    const amount = price(random, country, 20, 200, 20);
    return {
      day: random.whole(3, 28),
      happen: ({ ledger, checking }: Life, dated: (what: string) => string) =>
        void ledger.withdraw(checking, amount, dated('Cash withdrawal')),
    };
  });
}

/** More than a tight customer has: the bank has to refuse it. */
function largeWish(random: Random, country: Country): Happening {
  const amount = price(random, country, 2200, 2900, 10);
  return {
    day: 27,
    happen: ({ ledger, checking }, dated) => ledger.withdraw(checking, amount, dated('Sofa')),
  };
}

/** Money is put aside after the salary; interest comes with the month's end. */
function savingsPlan({ savings, salary, country }: Life, month: string): readonly Happening[] {
  if (savings === undefined) return [];
  const amount = roundTo(Math.round(salary * 0.12), minorUnits(country));
  return [
    {
      day: 3,
      happen: ({ ledger, checking }, dated) => {
        if (!ledger.withdraw(checking, amount, dated('To savings'))) return;
        ledger.credit('deposit', savings, amount, dated('From checking'));
      },
    },
    {
      day: lastDay(month),
      happen: ({ ledger }, dated) => {
        const interest = Math.floor(ledger.balance(savings) * 0.0015);
        ledger.credit('interest', savings, interest, dated('Interest, 1.8 % a year'));
      },
    },
  ];
}

/** What a customer does once: a higher overdraft, or giving the savings account up. */
function finish({ index, ledger, checking, savings, country }: Life, today: string): void {
  if (index % 4 === 1)
    ledger.changeLimit(checking, Math.round(2500 * country.priceLevel) * minorUnits(country));
  if (savings === undefined || !closesSavings(index)) return;
  const rest = ledger.balance(savings);
  ledger.withdraw(savings, rest, `${today} Savings account given up`);
  ledger.credit('deposit', checking, rest, `${today} From the savings account`);
  ledger.close(savings, 'Customer request');
}

/** A local price between two American ones, in minor units; `step` makes it a round one. */
function price(random: Random, country: Country, from: number, to: number, step = 0): number {
  const { priceLevel } = country;
  const minor = minorUnits(country);
  const cents = random.whole(Math.round(from * priceLevel * minor), Math.round(to * priceLevel * minor));
  return step === 0 ? Math.max(cents, 1) : roundTo(cents, Math.max(1, Math.round(step * priceLevel)) * minor);
}

/** How many minor units make one of a country's currency. */
function minorUnits({ currency }: Country): number {
  return 10 ** decimalsOf(currency);
}

function roundTo(value: number, step: number): number {
  return Math.max(step, Math.round(value / step) * step);
}

/** The days after one date and up to another. */
export interface Period {
  readonly after: string;
  readonly until: string;
}

/** The same day some months earlier, or that month's last day. */
export function monthsBefore(day: string, months: number): string {
  const count = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 - months;
  const month = date(Math.floor(count / 12), (count % 12) + 1, 1).slice(0, 7);
  return `${month}-${String(Math.min(Number(day.slice(8)), lastDay(month))).padStart(2, '0')}`;
}

/** The months that a period touches, oldest first, as `2026-03`. */
export function monthsOf({ after, until }: Period): readonly string[] {
  const months: string[] = [];
  for (
    let month = until.slice(0, 7);
    month >= after.slice(0, 7);
    month = monthsBefore(`${month}-01`, 1).slice(0, 7)
  ) {
    months.unshift(month);
  }
  return months;
}

function lastDay(month: string): number {
  return new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 0)).getUTCDate();
}

function date(year: number, month: number, day: number): string {
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

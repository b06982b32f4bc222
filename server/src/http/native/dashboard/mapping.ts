import type { ActiveUsers, NewUsers } from '@sekisho/contract';
import { dayMs } from '../../../domain/stats.ts';

type Days = (day: number) => number;

/** What `count` days that end with `day` add up to, and how much more that is than the days before them. */
function figure(users: Days, day: number, count: number): { count: number; delta: number } {
  const sum = (end: number): number =>
    Array.from({ length: count }, (_, back) => users(end - back * dayMs)).reduce((total, one) => total + one, 0);
  const now = sum(day);
  return { count: now, delta: now - sum(day - count * dayMs) };
}

export const newUsersBody = (users: Days, day: number): NewUsers => ({
  today: figure(users, day, 1),
  last7Days: figure(users, day, 7),
});

export const activeUsersBody = (users: Days, day: number): ActiveUsers => ({
  dauCurve: Array.from({ length: 30 }, (_, index) => {
    const at = day - (29 - index) * dayMs;
    return { date: new Date(at).toISOString().slice(0, 10), count: users(at) };
  }),
  dau: figure(users, day, 1),
  wau: figure(users, day, 7),
  mau: figure(users, day, 30),
});

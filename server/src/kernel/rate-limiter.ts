import { hash } from 'node:crypto';
import type { Clock } from './clock.ts';

/** Longer keys are replaced by their hash, so that an entry's size does not depend on who asks. */
const longestKey = 64;

export interface RateLimiterOptions {
  clock: Clock;
  /** Hits a key may have in a window; 0 = no limit. */
  limit: number;
  /** Length of the window in milliseconds; a minute unless told. */
  windowMs?: number;
  /** Entries kept at most, over both windows; 100 000 unless told. */
  capacity?: number;
}

export interface RateState {
  /** After `peek`: whether one more hit is within the limit. After `hit`: whether this hit was. */
  allowed: boolean;
  /** Hits still within the limit now; `Infinity` without a limit. */
  remaining: number;
  /** With none remaining, the first moment one is again; else the end of the window. Milliseconds since the epoch. */
  resetAtMs: number;
}

/**
 * Counts hits per key over a sliding window in fixed memory: the hits of the current window, and those of the one
 * before weighted by the share of it that the sliding window still covers.
 *
 * What it guarantees:
 * - It keeps at most `capacity` entries of bounded size, and every call takes the same short time.
 * - A key that has used up its limit is not forgotten before its time, however many other keys come. To make room, the
 *   oldest key of the window that still had hits left goes; should every entry be at its limit, a new key is let
 *   through without being counted.
 * - A refused hit is not counted: who keeps trying does not lengthen the wait.
 *
 * What it does not: a key below its limit can start afresh when more than half of `capacity` other keys come after it in
 * one window, and hits that all peek before any of them counts are all let through.
 */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #entries: number;
  #current = new Window();
  #previous = new Window();
  #index: number;

  constructor({ clock, limit, windowMs = 60_000, capacity = 100_000 }: RateLimiterOptions) {
    this.#clock = clock;
    this.#limit = limit;
    this.#windowMs = windowMs;
    // Both windows together stay within the capacity.
    this.#entries = Math.max(1, Math.floor(capacity / 2));
    this.#index = Math.floor(clock.now() / windowMs);
  }

  /** Hits a key may have in a window; 0 = no limit. */
  get limit(): number {
    return this.#limit;
  }

  /** Entries held now. */
  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  /** How the key stands, without counting. `limit` is for a key that has a limit of its own. */
  peek(key: string, limit = this.#limit): RateState {
    return this.#ask(key, limit, false);
  }

  /** Counts one hit, when it is within the limit. */
  hit(key: string, limit = this.#limit): RateState {
    return this.#ask(key, limit, true);
  }

  #ask(key: string, limit: number, counting: boolean): RateState {
    const now = this.#clock.now();
    if (limit === 0) return { allowed: true, remaining: Number.POSITIVE_INFINITY, resetAtMs: now };
    this.#rotate(now);
    const stored = key.length <= longestKey ? key : hash('sha256', key, 'base64url');
    const previous = this.#previous.get(stored);
    const count = this.#current.get(stored);
    const before = this.#state(now, previous, count, limit);
    if (!counting || !before.allowed) return before;
    const after = this.#state(now, previous, count + 1, limit);
    this.#current.set(stored, count + 1, after.remaining === 0, this.#entries);
    return { ...after, allowed: true };
  }

  #state(now: number, previous: number, current: number, limit: number): RateState {
    const start = this.#index * this.#windowMs;
    const elapsed = (now - start) / this.#windowMs;
    // The small addend makes up for what the fractions lose, so that `resetAtMs` keeps its promise to the millisecond.
    const remaining = Math.max(0, Math.floor(limit - current - previous * (1 - elapsed) + 1e-6));
    if (remaining > 0) return { allowed: true, remaining, resetAtMs: start + this.#windowMs };
    // Either the past fades enough within this window, or this window's own hits must fade in the next.
    const room = limit - current - 1;
    const wait = room >= 0 ? 1 - room / previous : 2 - (limit - 1) / current;
    return { allowed: false, remaining, resetAtMs: start + Math.ceil(wait * this.#windowMs - 1e-6) };
  }

  #rotate(now: number): void {
    const index = Math.floor(now / this.#windowMs);
    if (index > this.#index) {
      this.#previous = index === this.#index + 1 ? this.#current : new Window();
      this.#current = new Window();
    }
    // A clock set back keeps the counts as those of the window it is now in, so no block outlasts the clock's error.
    this.#index = index;
  }
}

/** The counts of one window. */
class Window {
  /** Keys with hits left, oldest first, and keys without: those are never dropped. */
  readonly #open = new Map<string, number>();
  readonly #full = new Map<string, number>();
  /** Kept between calls: a fresh iterator would walk over the gaps of all that was dropped before. */
  #oldest = this.#open.keys();

  get size(): number {
    return this.#open.size + this.#full.size;
  }

  get(key: string): number {
    return this.#full.get(key) ?? this.#open.get(key) ?? 0;
  }

  set(key: string, count: number, full: boolean, most: number): void {
    const wasFull = this.#full.has(key);
    const known = wasFull || this.#open.has(key);
    if (!known && this.size >= most && !this.#dropOldest()) return;
    if (full) this.#open.delete(key);
    (full || wasFull ? this.#full : this.#open).set(ownCopy(key), count);
  }

  #dropOldest(): boolean {
    let next = this.#oldest.next();
    if (next.done) {
      this.#oldest = this.#open.keys();
      next = this.#oldest.next();
    }
    return next.done !== true && this.#open.delete(next.value);
  }
}

/** A part of a longer text keeps the whole of it alive, here a request's body for two windows; a copy does not. */
const ownCopy = (key: string): string => Buffer.from(key, 'utf16le').toString('utf16le');

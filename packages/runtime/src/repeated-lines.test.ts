import { describe, expect, it } from 'vitest';
import { RepeatedLines } from './repeated-lines.js';

function limiter() {
  let now = 0;
  const lines = new RepeatedLines(() => now);
  return { lines, pass: (ms: number) => (now += ms) };
}

function written(lines: RepeatedLines, times: number, message: string, subject: string): number {
  return Array.from({ length: times }, () => lines.count(message, subject)).filter(({ write }) => write)
    .length;
}

describe('repeated log lines', () => {
  it('are written ten times in ten seconds', () => {
    const { lines } = limiter();
    expect(written(lines, 5_000, 'a write failed', 's1')).toBe(10);
  });

  it('of another subject or message are written all the same', () => {
    const { lines } = limiter();
    written(lines, 100, 'a write failed', 's1');
    expect(written(lines, 5, 'a write failed', 's2')).toBe(5);
    expect(written(lines, 5, 'a read failed', 's1')).toBe(5);
  });

  it('of many subjects are bounded together', () => {
    const { lines } = limiter();
    const subjects = Array.from({ length: 50_000 }, (_, index) => `s${index}`);
    const all = subjects.filter((subject) => lines.count('a write failed', subject).write);
    expect(all).toHaveLength(1_000);
  });

  it('say how many were left out when they are written again', () => {
    const { lines, pass } = limiter();
    written(lines, 25, 'a write failed', 's1');
    pass(10_001);
    expect(lines.count('a write failed', 's1')).toEqual({ write: true, leftOut: 15 });
    expect(lines.count('a write failed', 's1')).toEqual({ write: true, leftOut: 0 });
  });
});

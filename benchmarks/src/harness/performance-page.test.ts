import { expect, test } from 'vitest';
import type { Bench } from './bench.js';
import { withBench } from './performance-page.js';

const bench: Bench = {
  name: 'second',
  about: '',
  contenders: { product: 'what is measured' },
  scenarios: [],
  page: { title: 'The second', purpose: 'What it costs.', method: ['By counting.'] },
};
const outcome = { rows: [], failures: [], cores: 'not pinned' };
const machine = { cores: 2, memoryGb: 4, node: '20.0.0', redis: '7.0.0' };

const part = (name: string, text: string) =>
  `<!-- npm run bench -- ${name} --write: begin -->${text}<!-- npm run bench -- ${name} --write: end -->`;

test('a bench writes its own section and does not change the rest of the page', () => {
  const page = `# Performance\n${part('first', '\nA remark.\n')}\nbetween\n${part('second', 'old')}\nend\n`;
  const written = withBench(page, bench, outcome, machine);
  expect(written).toContain(`${part('first', '\nA remark.\n')}\nbetween\n`);
  expect(written).toContain('## The second\n\nWhat it costs.\n\n- **product**: what is measured');
  expect(written).not.toContain('old');
  expect(withBench(written, bench, outcome, machine)).toBe(written);
});

test('a page without the markers of the bench is not changed', () => {
  expect(() => withBench(part('first', ''), bench, outcome, machine)).toThrow('no place for second');
});

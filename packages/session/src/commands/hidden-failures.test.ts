import { expect, it } from 'vitest';
import { HiddenFailures } from './hidden-failures.js';

const failure = (id: string, code: string) => ({
  key: { remoteJid: '1@lid', fromMe: true, id },
  update: { status: 0, messageStubParameters: [code] },
});
const failures = (...updates: ReturnType<typeof failure>[]) => ({ 'messages.update': updates });

it('hides one failure of a message, also if its event comes after the answer', () => {
  const hidden = new HiddenFailures();
  const answered = hidden.hide('A', '479');
  expect(hidden.without(failures(failure('B', '479'), failure('A', '463')))).toEqual(
    failures(failure('B', '479'), failure('A', '463')),
  );
  answered(true);
  expect(hidden.without(failures(failure('A', '479'), failure('B', '479')))).toEqual(
    failures(failure('B', '479')),
  );
  // The second try has failed as well.
  expect(hidden.without(failures(failure('A', '479')))).toEqual(failures(failure('A', '479')));
});

it('hides nothing of a message that was not refused, and nothing but failures', () => {
  const hidden = new HiddenFailures();
  hidden.hide('A', 'any')(false);
  expect(hidden.without(failures(failure('A', '403')))).toEqual(failures(failure('A', '403')));
  hidden.hide('A', 'any');
  const read = { 'messages.update': [{ key: { id: 'A' }, update: { status: 4 } }] };
  expect(hidden.without(read)).toEqual(read);
  expect(hidden.without(failures(failure('A', '403')))).toEqual({});
});

it('is bounded', () => {
  const hidden = new HiddenFailures();
  for (let index = 0; index < 200; index += 1) hidden.hide(`M${index}`, 'any');
  expect(hidden.without(failures(failure('M0', '403')))).toEqual(failures(failure('M0', '403')));
  expect(hidden.without(failures(failure('M199', '403')))).toEqual({});
});

import { StartError } from '@wafleet/runtime';
import { expect, test } from 'vitest';
import { COMMAND_LINE_HELP, parseCommandLine } from './command-line.js';

test('the demo is the default', () => {
  expect(parseCommandLine([])).toEqual({ help: false, live: false });
  expect(parseCommandLine(['--live'])).toEqual({ help: false, live: true });
  expect(parseCommandLine(['-h'])).toEqual({ help: true, live: false });
});

test('an unknown argument is named, with what there is', () => {
  expect(() => parseCommandLine(['--life'])).toThrow(StartError);
  expect(() => parseCommandLine(['--life'])).toThrow(/--life.*It takes --live and --help/s);
  expect(COMMAND_LINE_HELP).toContain('--live');
});

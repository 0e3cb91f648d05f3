import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LinkVersions } from './link-versions.js';

const VERSION = '2.3000.1';
const OTHER = '2.3000.2';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watched() {
  const suspected: [string, boolean][] = [];
  const suspectAtLinking = (version: string, { isCertain }: { isCertain: boolean }) => {
    suspected.push([version, isCertain]);
  };
  return { suspected, linkVersions: new LinkVersions({ connectLimiter: { suspectAtLinking } }) };
}

test('a round without a link makes the next one avoid its version', () => {
  const { suspected, linkVersions } = watched();
  expect(linkVersions.stepFor({ isLinked: false })).toEqual({ failedWith: undefined });
  linkVersions.roundEnded(VERSION);
  expect(linkVersions.stepFor({ isLinked: false })).toEqual({ failedWith: VERSION });
  linkVersions.roundEnded(OTHER);
  expect(linkVersions.stepFor({ isLinked: false })).toEqual({ failedWith: OTHER });
  expect(suspected).toEqual([
    [VERSION, false],
    [OTHER, false],
  ]);
});

test('a pairing code that was entered and links nothing within a minute is certain', () => {
  const { suspected, linkVersions } = watched();
  linkVersions.codeEntered(VERSION);
  vi.advanceTimersByTime(59_000);
  linkVersions.codeEntered(VERSION);
  vi.advanceTimersByTime(59_000);
  expect(suspected).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(suspected).toEqual([[VERSION, true]]);
  expect(linkVersions.stepFor({ isLinked: false })).toEqual({ failedWith: VERSION });
});

test('a link, or the end of the connection, ends the wait after a pairing code', () => {
  const { suspected, linkVersions } = watched();
  linkVersions.codeEntered(VERSION);
  linkVersions.linked(VERSION);
  linkVersions.codeEntered(VERSION);
  linkVersions.connectionEnded();
  vi.advanceTimersByTime(120_000);
  expect(suspected).toEqual([]);
});

test('the login after a link reports the same version, and those after it any other one', () => {
  const { linkVersions } = watched();
  expect(linkVersions.stepFor({ isLinked: true })).toBeUndefined();
  linkVersions.linked(OTHER);
  linkVersions.connectionEnded();
  expect(linkVersions.stepFor({ isLinked: true })).toEqual({ linkedWith: OTHER });
  linkVersions.forgetLink();
  expect(linkVersions.stepFor({ isLinked: true })).toBeUndefined();
});

test('the login after a link reports any other version once two logins with that one have failed', () => {
  const { linkVersions } = watched();
  linkVersions.linked(OTHER);
  linkVersions.loginFailed({ isPaired: true });
  linkVersions.loginFailed({ isPaired: false });
  expect(linkVersions.stepFor({ isLinked: true })).toEqual({ linkedWith: OTHER });
  linkVersions.loginFailed({ isPaired: false });
  expect(linkVersions.stepFor({ isLinked: true })).toBeUndefined();
  linkVersions.linked(OTHER);
  linkVersions.loginFailed({ isPaired: false });
  expect(linkVersions.stepFor({ isLinked: true })).toEqual({ linkedWith: OTHER });
});

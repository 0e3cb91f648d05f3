import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url);

/**
 * What a script could keep beyond its own call: settings and tables of the interpreter, which all scripts of a Redis
 * share, also those of other users. Redis itself refuses global variables.
 */
const KEPT = new RegExp(
  [
    String.raw`\bcjson\s*\.\s*(encode_\w+|decode_\w+|new)\b`,
    String.raw`\bcjson\s*\[`,
    String.raw`\b(_G|_ENV|getfenv|setfenv|rawset|setmetatable|getmetatable|loadstring)\b`,
    String.raw`\bmath\s*\.\s*randomseed\b`,
    String.raw`\b(string|table|math|redis|cjson|cmsgpack|struct|bit)\s*\.\s*\w+\s*=[^=]`,
  ].join('|'),
);

function keepsState(lua: string): boolean {
  return KEPT.test(lua.replace(/--.*$/gm, ''));
}

describe('a Lua script', () => {
  it('keeps nothing in the interpreter of Redis', () => {
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.lua'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const names = files.split('\n').filter((file) => file !== '');
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => keepsState(readFileSync(new URL(name, ROOT), 'utf8')))).toEqual([]);
  });

  it.each([
    'cjson.encode_max_depth(5)',
    'local setting = cjson and cjson.decode_max_depth',
    'setmetatable(_G, nil)',
    'math.randomseed(1)',
    'string.life = 1',
  ])('that runs `%s` is found', (lua) => {
    expect(keepsState(lua)).toBe(true);
  });

  it('that only encodes, compares or comments is not', () => {
    expect(
      keepsState('local a = cjson.encode({}) -- _G\nif math.pi == 3 then return redis.call("PING") end'),
    ).toBe(false);
  });
});

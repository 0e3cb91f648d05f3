type Given<Options> = { [Name in keyof Options]?: Exclude<Options[Name], undefined> };

/** Removes the options that are undefined: turns a body's optional fields into a verb's options. */
export function given<Options extends object>(options: Options): Given<Options> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<Options>;
}

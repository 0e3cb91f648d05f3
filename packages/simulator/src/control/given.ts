type Given<Options> = { [Name in keyof Options]?: Exclude<Options[Name], undefined> };

/** The options without those that are undefined: a body's optional fields, as a verb's options want them. */
export function given<Options extends object>(options: Options): Given<Options> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<Options>;
}

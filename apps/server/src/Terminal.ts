/**
 * Words for the person who started the server, on standard output. The log, which is for machines too, goes to
 * standard error.
 */
export const Terminal = {
  print: (line: string): void => {
    process.stdout.write(`${line}\n`);
  },
  refuse: (message: string): void => {
    process.stderr.write(`\n${message}\n`);
  },
};

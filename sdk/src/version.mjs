/* That of package.json; a browser cannot read the file, and a test compares the two. */
export const VERSION = '0.2.0';

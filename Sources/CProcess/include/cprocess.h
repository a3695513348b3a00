#ifndef CPROCESS_H
#define CPROCESS_H

/// Number of words of the command line, the program's own name among them; 0 where unknown.
int cprocess_argument_count(void);

/// One of these words.
const char *cprocess_argument(int index);

#endif

"""Pure helpers on DER: parse, build paths, diagnose."""

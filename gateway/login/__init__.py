"""Who somebody is: by the provider's word, by a token, or by the machine they sit at."""

"""What a notebook wants: runs, champions, exams, data frames. `autotelic` itself has the public names."""

#compdef crawltab crawler crawltabd
# Completion of crawltab, crawler and crawltabd for zsh. Commands and options are read from the programs' own
# help, so that they are always those of the version that is installed.
local program=$words[1] word=$words[CURRENT] command='' help i
local -a found
case $words[CURRENT-1] in
--config | --key | --out | --log | --checkpoint | --html)
    _files
    return
    ;;
esac
for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
    --config | --clock-offset) ((i++)) ;;
    -*) ;;
    *)
        command=$words[i]
        break
        ;;
    esac
done
help=$($program ${command:+$command} --help 2>/dev/null) || return
if [[ $word == -* ]]; then
    found=(${(f)"$(grep -oE -- '--[a-z][a-z-]*' <<<$help | sort -u)"})
elif [[ -z $command ]]; then
    found=(${(f)"$(sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p' <<<$help)"})
else
    # What a command does is its next word: usage: crawltab invoice list …
    found=(${(f)"$(sed -n "/^examples:/q; s/^.* ${program:t} $command \([a-z][a-z-]*\).*/\1/p" <<<$help)"})
    ((${#found})) || _files
fi
compadd -- $found

# Completion of crawltab, crawler and crawltabd for bash. Commands and options are read from the programs' own
# help, so that they are always those of the version that is installed.
_crawltab()
{
    local program=$1 word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' help i
    case $before in
    --config | --key | --out | --log | --checkpoint | --html)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --config | --clock-offset) ((i++)) ;;
        -*) ;;
        *)
            command=${COMP_WORDS[i]}
            break
            ;;
        esac
    done
    help=$("$program" ${command:+"$command"} --help 2>/dev/null) || return
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(grep -oE -- '--[a-z][a-z-]*' <<<"$help" | sort -u)" -- "$word")
    elif [ -z "$command" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p' <<<"$help")" -- "$word")
    else
        # What a command does is its next word: usage: crawltab invoice list …
        mapfile -t COMPREPLY < <(compgen -W \
            "$(sed -n "/^examples:/q; s/^.* ${program##*/} $command \\([a-z][a-z-]*\\).*/\\1/p" <<<"$help")" -- "$word")
        [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -F _crawltab crawltab crawler crawltabd

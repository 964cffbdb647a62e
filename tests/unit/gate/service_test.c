/* What the service manager hears, on a socket like its own. */
#include "tests/unit/support.h"

#include "server/run/service.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int manager = -1;
static char path[64];

static int listen_as_manager(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(path, sizeof(path), "/tmp/crawltab-service-%d", (int)getpid());
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    manager = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(manager, (struct sockaddr *)&address, sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path, 1);
    return 0;
}

static int go(void **state)
{
    (void)state;
    close(manager);
    unlink(path);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    return 0;
}

/* The next message; "" when there is none. Datagrams on this machine are there when they have been sent. */
static const char *heard(void)
{
    static char text[512];
    ssize_t len = recv(manager, text, sizeof(text) - 1, MSG_DONTWAIT);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

#define PAYS   "\nSTATUS=serving; the ledger takes payments"
#define OFFERS "\nSTATUS=serving offers and free pages; the ledger is not reached"

static void it_is_ready_once_the_ledger_is(void **state)
{
    (void)state;
    struct service service;
    service_start(&service, 60000);
    assert_true(service_tell(&service, false, true) <= 100);
    assert_string_equal(heard(), "");
    assert_int_equal(service_tell(&service, true, true), 1000);
    assert_string_equal(heard(), "READY=1" PAYS);
    service_tell(&service, true, true);
    assert_string_equal(heard(), ""); /* and no watchdog that nobody has asked for */
    service_tell(&service, false, true);
    assert_string_equal(heard(), OFFERS + 1);
    service_tell(&service, true, true);
    assert_string_equal(heard(), PAYS + 1);
}

static void it_does_not_wait_for_the_ledger_for_ever(void **state)
{
    (void)state;
    struct service service;
    service_start(&service, 100);
    while (service_tell(&service, false, true) < 1000)
        poll(NULL, 0, 10);
    assert_string_equal(heard(), "READY=1" OFFERS);
}

static void only_writers_that_turn_feed_the_watchdog(void **state)
{
    (void)state;
    struct service service;
    setenv("WATCHDOG_USEC", "8000000", 1);
    service_start(&service, 100);
    assert_string_equal(heard(), "");
    service_tell(&service, true, false);
    assert_string_equal(heard(), "READY=1" PAYS);
    assert_int_equal(service_tell(&service, true, false), 1000);
    assert_string_equal(heard(), "");
    service_tell(&service, true, true);
    assert_string_equal(heard(), "WATCHDOG=1");
    /* A ledger that may take a minute for each step needs more time than that. */
    service_start(&service, 60000);
    assert_string_equal(heard(), "WATCHDOG_USEC=1440000000");
}

static void reloading_and_stopping_are_told(void **state)
{
    (void)state;
    struct service service;
    unsigned long long us;
    struct timespec now;
    service_start(&service, 100);
    service_reloading(&service);
    assert_int_equal(sscanf(heard(), "RELOADING=1\nMONOTONIC_USEC=%llu", &us), 1);
    clock_gettime(CLOCK_MONOTONIC, &now);
    assert_true((unsigned long long)(now.tv_sec + 1) * 1000000 - us < 60000000); /* in the last minute */
    service_reloaded(&service);
    assert_string_equal(heard(), "READY=1");
    service_stopping(&service, 600000);
    assert_string_equal(heard(),
                        "STOPPING=1\nSTATUS=finishing the requests under way\nEXTEND_TIMEOUT_USEC=630000000");
    assert_string_equal(heard(), "");
    setenv("WATCHDOG_USEC", "3000000", 1);
    service_start(&service, 100);
    service_stopping(&service, 600000);
    assert_string_equal(heard(), "WATCHDOG_USEC=630000000");
}

static void nobody_is_told_where_there_is_no_manager(void **state)
{
    (void)state;
    struct service service;
    unsetenv("NOTIFY_SOCKET");
    service_start(&service, 100);
    assert_int_equal(service_tell(&service, true, true), -1);
    service_reloading(&service);
    service_stopping(&service, 100);
    assert_string_equal(heard(), "");
    struct service_sockets sockets;
    assert_true(service_sockets(&sockets));
    assert_int_equal(sockets.gate.count + sockets.decisions.count + sockets.facilitator.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_ready_once_the_ledger_is, listen_as_manager, go),
        cmocka_unit_test_setup_teardown(it_does_not_wait_for_the_ledger_for_ever, listen_as_manager, go),
        cmocka_unit_test_setup_teardown(only_writers_that_turn_feed_the_watchdog, listen_as_manager, go),
        cmocka_unit_test_setup_teardown(reloading_and_stopping_are_told, listen_as_manager, go),
        cmocka_unit_test_setup_teardown(nobody_is_told_where_there_is_no_manager, listen_as_manager, go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
